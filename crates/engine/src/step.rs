//! One transition of a packet in a host, one event.
