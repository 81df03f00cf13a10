//! Bodies, read within their limits. Memory is counted as bytes arrive, not as they are announced, so that a client who
//! announces much and sends little takes little.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Memory is counted in pieces of this size.
const PIECE: usize = 1 << 10;

/// The memory that all bodies share.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    pieces: Arc<Semaphore>,
}

/// A body and its share of the memory, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) bytes: Bytes,
    _share: Share,
}

#[derive(Debug, Default)]
struct Share(Option<OwnedSemaphorePermit>);

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    TooSlow,
    NoMemory,
    BrokenOff,
}

impl Memory {
    pub(super) fn new(bytes: usize) -> Self {
        let pieces = (bytes / PIECE).clamp(1, Semaphore::MAX_PERMITS);
        Self {
            pieces: Arc::new(Semaphore::new(pieces)),
        }
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.pieces.available_permits() == 0
    }

    fn extend(&self, share: &mut Share, bytes: usize) -> Result<(), Unread> {
        let pieces = u32::try_from(bytes.div_ceil(PIECE)).map_err(|_| Unread::TooLarge)?;
        let more = self
            .pieces
            .clone()
            .try_acquire_many_owned(pieces)
            .map_err(|_| Unread::NoMemory)?;
        match &mut share.0 {
            Some(permit) => permit.merge(more),
            None => share.0 = Some(more),
        }
        Ok(())
    }
}

/// Reads the whole body, or says at which limit it stopped.
pub(super) async fn read(
    body: Body,
    most: usize,
    deadline: Duration,
    memory: &Memory,
) -> Result<Whole, Unread> {
    tokio::time::timeout(deadline, collect(body, most, memory))
        .await
        .unwrap_or(Err(Unread::TooSlow))
}

async fn collect(mut body: Body, most: usize, memory: &Memory) -> Result<Whole, Unread> {
    let mut share = Share::default();
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unread::BrokenOff)?.into_data() else {
            continue;
        };
        if first.len() + joined.len() + data.len() > most {
            return Err(Unread::TooLarge);
        }
        memory.extend(&mut share, data.len())?;
        if first.is_empty() && joined.is_empty() {
            first = data;
        } else {
            if joined.is_empty() {
                joined.extend_from_slice(&first);
                first = Bytes::new();
            }
            joined.extend_from_slice(&data);
        }
    }
    let bytes = if joined.is_empty() {
        first
    } else {
        joined.freeze()
    };
    Ok(Whole {
        bytes,
        _share: share,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_with(body: Body, most: usize, memory: usize) -> Result<Bytes, Unread> {
        read(body, most, Duration::from_secs(5), &Memory::new(memory))
            .await
            .map(|whole| whole.bytes)
    }

    #[tokio::test]
    async fn limits_hold_to_the_byte() {
        let body = || Body::from(vec![7; 3_000]);
        assert_eq!(
            read_with(body(), 3_000, 1 << 20).await.unwrap().len(),
            3_000
        );
        assert_eq!(
            read_with(body(), 2_999, 1 << 20).await,
            Err(Unread::TooLarge)
        );
        assert_eq!(
            read_with(body(), 3_000, 2 << 10).await,
            Err(Unread::NoMemory)
        );
        assert_eq!(read_with(Body::empty(), 0, 1 << 20).await.unwrap().len(), 0);
    }

    #[tokio::test]
    async fn memory_is_given_back() {
        let memory = Memory::new(4 << 10);
        for _ in 0..3 {
            let whole = read(
                Body::from(vec![7; 4 << 10]),
                1 << 20,
                Duration::from_secs(5),
                &memory,
            )
            .await
            .unwrap();
            assert!(memory.is_exhausted());
            drop(whole);
            assert!(!memory.is_exhausted());
        }
    }
}
