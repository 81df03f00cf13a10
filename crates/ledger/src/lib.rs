//! The audit log of Countersign as bytes: what an entry is, how it is spelled and sealed, how entries become a tree, how
//! heads of the tree are signed, and how all of it is checked. It does not read, write, wait or look at a clock. What is
//! written here is hashed and kept for ever, so the form of an entry has a version and never changes within it.

mod canonical;
mod check;
mod clean;
mod commitments;
mod cosignature;
mod entry;
pub mod export;
mod facets;
mod keys;
mod proof;
mod receipt;
mod rows;
mod seal;
mod shown;
mod tiles;
mod tlog_proof;
mod tree;
mod verify;
mod whole;

pub use canonical::{
    Aside, MOST_BYTES, SALT_LENGTH, SCHEMA_VERSION, Salt, Spelled, commitment, spell,
};
pub use check::{Checked, Checker};
pub use clean::{clean, clean_json, clean_lines, is_invisible};
pub use commitments::commitments;
pub use cosignature::{NotWitnessed, WitnessKey};
pub use entry::{Action, Actor, Detail, Ending, Entry};
pub use facets::{Facets, OPERATOR, Seen, WORD_LENGTHS, person, stranger, words, words_of};
pub use keys::{Head, Keys, PublicKeys, Standing, Unusable, short};
pub use proof::{TileName, Wanted, grew_from, leaf_is_in, proof, tiles_for};
pub use receipt::{Proved, Receipt, Revealed};
pub use rows::{Row, check_asides, check_row, check_tile, check_words};
pub use seal::Sealer;
pub use shown::Shown;
pub use tiles::{Kind, TilePath, decode_bundle, encode_bundle};
pub use tlog_proof::{check_proof, tlog_proof};
pub use tree::{Edge, FullTile, TILE_WIDTH, leaf, tile_root};
pub use verify::{Claim, Fault, Verified, Verifier, erasures, rotation};
pub use whole::Whole;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes in the letters of the C2SP formats.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of such letters.
pub fn unbase64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
