//! Turns `bot.toml` into domain types.
