//! Which thread drives a reactor's first runtime, mostly its only one: a thread of the reactor's, or the consumer's event
//! loop.
//!
//! A turn on the consumer's thread has no hop from one thread to another, which with few cores is what a lone connection
//! pays most for; and it reads when the bytes are wanted, into the consumer's memory. A turn on the reactor's thread goes on
//! while the consumer computes. Both turn the same runtime, one at a time.
//!
//! | Driving | on | becomes |
//! | --- | --- | --- |
//! | Thread | the loop comes to its poll phase again | Loop |
//! | Loop | something waits, and the loop's thread has given no sign for [`TAKEOVER_DELAY`] | Thread |
//! | Loop | relays alone had work for many turns (`delegation.rs`) | Thread, delegated |
//! | Thread, delegated | events for the consumer become frequent | Loop |
//! | Loop | the loop's thread is busy, and a processor is idle (`meter.rs`) | Thread, delegated |
//! | Thread, delegated | no more comes of it | Loop |
//! | any | stop | Thread, which ends |
//!
//! While the loop drives, the reactor's thread watches: it sleeps until the runtime's poller is readable,
//! unless it has left something due, and then checks every [`TAKEOVER_DELAY`] whether the loop still turns,
//! until nothing happens any more. An idle process does not wake.

use std::sync::Arc;
use std::time::Duration;

use crate::event::queue::EventQueue;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::delegation::{Delegation, Reason};
use super::driven::Driven;
use super::flush_list::FlushOwner;
use super::meter::Meter;
use super::run_queue::Driving;

/// How long the consumer's thread may compute until the reactor's takes over.
const TAKEOVER_DELAY: Duration = Duration::from_millis(5);
/// After so many times that long without a sign the reactor's thread takes over from one that does not
/// compute, but is blocked in a system call. A thread that only waits for a processor is not helped by
/// another that wants one.
const BLOCKED_PERIODS: u32 = 4;

/// Who drives, as far as the load does not decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drive {
    /// The load decides.
    #[default]
    Auto,
    /// Always the reactor's thread.
    Thread,
    /// Always the consumer's loop, where it can.
    Loop,
}

/// Decides which of two threads drives a `D`, which must be one at a time.
#[derive(Debug)]
pub(super) struct Arbiter<D> {
    driven: D,
    events: Arc<EventQueue>,
    is_only_runtime: bool,
    /// Who drives. The loop holds the lock for the length of a turn.
    driving: Mutex<Driving>,
    /// The thread is asked to let the loop drive.
    yield_requested: AtomicBool,
    stop: AtomicBool,
    /// Who may drive.
    drive: Drive,
    /// Counts what the loop's thread does: turns, poll phases, events taken.
    activity: AtomicU64,
    delegation: Delegation,
}

impl<D: Driven> Arbiter<D> {
    /// With the loop driving, unless `drive` says otherwise. `is_only_runtime`: the reactor has no other.
    pub(super) fn new(driven: D, events: Arc<EventQueue>, drive: Drive, is_only_runtime: bool) -> Self {
        let driving = if drive == Drive::Thread {
            Driving::Thread
        } else {
            events.set_loop_drives(is_only_runtime);
            Driving::Loop
        };
        Self {
            driven,
            events,
            is_only_runtime,
            driving: Mutex::new(driving),
            yield_requested: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            drive,
            activity: AtomicU64::new(0),
            delegation: Delegation::default(),
        }
    }

    pub(super) fn driven(&self) -> &D {
        &self.driven
    }

    /// Whether the loop may drive.
    pub(super) fn allows_loop(&self) -> bool {
        self.drive != Drive::Thread
    }

    /// Ends [`Arbiter::run_thread`].
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.driven.tasks().wake_sleeper();
        self.driven.wake_thread();
    }

    // ---- the consumer's loop

    /// The loop is about to poll. Runs what its callbacks have made due, and returns whether something is
    /// still due that no descriptor reports. What is due while the thread drives is the thread's: a loop that
    /// did not sleep because of it would take the processor that the thread needs.
    pub(super) fn poll_begins(&self) -> bool {
        self.note_activity();
        let driving = self.driving.lock();
        match *driving {
            Driving::Loop if self.driven.tasks().is_empty() => false,
            Driving::Loop => {
                self.driven.run_due();
                !self.driven.tasks().is_empty()
            }
            Driving::Thread => {
                drop(driving);
                if self
                    .delegation
                    .ends(|enough| self.events.take_task_events(enough))
                {
                    self.request_yield();
                }
                false
            }
        }
    }

    /// One turn on the calling thread: asks the kernel without waiting, and runs what is due. Returns false,
    /// and does nothing, while the thread drives.
    pub(super) fn turn(&self) -> bool {
        self.note_activity();
        let driving = self.driving.lock();
        if *driving == Driving::Thread {
            return false;
        }
        self.driven.turn();
        true
    }

    /// The consumer's thread is neither computing for long nor blocked.
    pub(super) fn note_activity(&self) {
        // Only this thread changes it.
        let activity = self.activity.load(Ordering::Relaxed);
        self.activity.store(activity.wrapping_add(1), Ordering::Relaxed);
    }

    /// A turn on the calling thread has brought so many events.
    pub(super) fn turn_ended(&self, events: usize) {
        let relayed = self.driven.tasks().take_relayed();
        if self.delegation.loop_turned(events, relayed) && self.drive == Drive::Auto {
            self.delegate();
        }
    }

    /// Whether the thread drives, and not the loop.
    pub(super) fn is_thread_driving(&self) -> bool {
        *self.driving.lock() == Driving::Thread
    }

    /// Whether something is due on the loop's thread that no descriptor reports.
    pub(super) fn has_due(&self) -> bool {
        *self.driving.lock() == Driving::Loop && !self.driven.tasks().is_empty()
    }

    // ---- the hand-over

    /// Lets the thread drive though the loop turns.
    fn delegate(&self) {
        let _before = self.events.take_task_events(0);
        self.delegation.begin(Reason::Relays);
        self.let_thread_drive();
        self.driven.wake_thread();
    }

    fn let_thread_drive(&self) {
        let mut driving = self.driving.lock();
        self.yield_requested.store(false, Ordering::SeqCst);
        *driving = Driving::Thread;
    }

    /// Asks the thread to let the loop drive.
    fn request_yield(&self) {
        if self.drive != Drive::Thread && !self.yield_requested.swap(true, Ordering::SeqCst) {
            self.driven.tasks().wake_sleeper();
        }
    }

    /// The reactor's thread, from its start to its end.
    pub(super) fn run_thread(&self) {
        let mut meter = Meter::new(&self.driven, &self.events);
        while !self.stop.load(Ordering::SeqCst) {
            let driving = *self.driving.lock();
            match driving {
                Driving::Thread => self.drive(&mut meter),
                Driving::Loop => self.watch(&mut meter),
            }
        }
    }

    /// Turns the runtime until the loop is to drive.
    fn drive(&self, meter: &mut Meter) {
        self.events.set_loop_drives(false);
        self.driven.flush_list().set_owner(FlushOwner::DrivingThread);
        self.driven.drive(|| {
            let ended = self.stop.load(Ordering::SeqCst) || self.yield_requested.load(Ordering::SeqCst);
            if ended {
                return true;
            }
            self.delegation.thread_turns();
            let for_nothing =
                self.delegation.is_for(Reason::Load) && !meter.wants_thread(&self.driven, &self.events);
            if for_nothing {
                self.delegation.end();
                self.yield_requested.store(true, Ordering::SeqCst);
            }
            for_nothing
        });
        if self.yield_requested.load(Ordering::SeqCst) {
            self.events.set_loop_drives(self.is_only_runtime);
            *self.driving.lock() = Driving::Loop;
            self.yield_requested.store(false, Ordering::SeqCst);
        }
        // What happened last, or is still due, is for the loop to find.
        self.events.wake_consumer();
    }

    /// Sleeps while the loop drives, and takes over when its thread is late.
    fn watch(&self, meter: &mut Meter) {
        if self.drive == Drive::Loop {
            self.driven.wait(None);
            return;
        }
        let (tasks, flush_list) = (self.driven.tasks(), self.driven.flush_list());
        // What this thread's last turn has left due, no poller reports.
        let is_idle = tasks.is_empty() && flush_list.set_owner(FlushOwner::None);
        if is_idle && self.driven.wait_for_events() {
            return;
        }
        flush_list.set_owner(FlushOwner::WatchingThread);
        // Or the loop has ended what this thread drove for.
        if is_idle || meter.is_on() {
            meter.restart(&self.driven, &self.events);
        }
        let mut periods = 0;
        loop {
            let (activity, used) = (self.activity.load(Ordering::Relaxed), self.driven.consumer_time());
            if self.driven.wait(Some(TAKEOVER_DELAY)) {
                return;
            }
            if self.activity.load(Ordering::Relaxed) != activity {
                periods = 0;
                if meter.wants_thread(&self.driven, &self.events) {
                    self.delegation.begin(Reason::Load);
                    self.take_over();
                    return;
                }
                continue;
            }
            if !self.driven.has_events() && tasks.is_empty() && flush_list.is_empty() {
                return;
            }
            periods += 1;
            let computes = self.driven.consumer_time().saturating_sub(used) >= TAKEOVER_DELAY / 2;
            if !computes && periods < BLOCKED_PERIODS {
                continue;
            }
            self.take_over();
            return;
        }
    }

    /// On the reactor's thread, which drives from now on.
    fn take_over(&self) {
        let flush_list = self.driven.flush_list();
        flush_list.set_owner(FlushOwner::DrivingThread);
        flush_list.defer_all();
        self.let_thread_drive();
    }
}

#[cfg(all(test, ferronet_loom))]
mod models;

#[cfg(all(test, not(ferronet_loom)))]
mod tests;
