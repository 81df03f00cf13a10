//! The desk as a whole, without a database or a forge.

mod any_order;
mod memory;
mod noticed;
mod talking;
mod under;
