//! Descriptors by number: handles are none here, and libuv does not take a socket by a number of the C library either.

use std::io;

use crate::{DescriptorKind, Transport};

use super::idle::Idle;

pub(crate) fn descriptor_kind(_fd: i32) -> DescriptorKind {
    DescriptorKind::Unknown
}

pub(crate) fn duplicate(_fd: i32) -> io::Result<i32> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

pub(crate) fn adopt(_fd: i32, _transport: Transport) -> io::Result<Idle> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}
