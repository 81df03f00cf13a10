//! The chats. Each has an `edge`, which turns signed bytes into our words. The chats do not know each
//! other.

pub mod discord;
