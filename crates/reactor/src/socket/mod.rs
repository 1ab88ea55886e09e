//! Sockets whatever they run over: their addresses and errors.

pub(crate) mod address;
pub(crate) mod errno;
