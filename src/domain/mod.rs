//! The words and rules of the product. Pure: no I/O, no async, no clock.
