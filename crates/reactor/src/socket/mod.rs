//! Sockets whatever they run over: their addresses, options and errors.

pub(crate) mod address;
pub(crate) mod errno;
