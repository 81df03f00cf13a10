//! Bodies, read within their limits. Memory is counted as bytes arrive, not as they are announced, so that a client who
//! announces much and sends little takes little. Nobody knows yet who sent them: whoever has been sending for longest
//! gives way where memory ends, and each source has memory of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::domain::{Chat, Forge, Source};

/// Memory is counted in pieces of this size.
const PIECE: usize = 1 << 10;

/// The memory that bodies may take, a part for each source: a flood at one door takes nothing from the others.
#[derive(Debug)]
pub(super) struct Memories(Vec<(Source, Memory)>);

/// The memory that the bodies of one source share.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    pieces: Arc<Semaphore>,
    readings: Arc<Mutex<Readings>>,
}

/// Bodies that are not there as a whole, the oldest first, and how much is taken once all have gone that were told to.
#[derive(Debug)]
struct Readings {
    next: u64,
    open: BTreeMap<u64, Open>,
    taken: usize,
    pieces: usize,
}

#[derive(Debug)]
struct Open {
    pieces: usize,
    gives_way: CancellationToken,
}

/// One body that is being read. It leaves the others when it is dropped.
struct Reading<'m> {
    memory: &'m Memory,
    number: u64,
    gives_way: CancellationToken,
    bytes: usize,
    permit: Option<OwnedSemaphorePermit>,
}

/// A body and its share of the memory, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) bytes: Bytes,
    _share: Share,
}

#[derive(Debug)]
struct Share {
    memory: Memory,
    pieces: usize,
    _permit: Option<OwnedSemaphorePermit>,
}

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    TooSlow,
    NoMemory,
    BrokenOff,
}

impl Memories {
    /// So much for all sources together, and enough for one body of the largest size in each.
    pub(super) fn new(together: usize, largest: usize) -> Self {
        let forges = Forge::ALL.into_iter().map(Source::Forge);
        let sources: Vec<Source> = forges
            .chain(Chat::ALL.into_iter().map(Source::Chat))
            .collect();
        let each = (together / sources.len().max(1)).max(largest);
        let memories = sources
            .into_iter()
            .map(|source| (source, Memory::new(each)));
        Self(memories.collect())
    }

    /// What the bodies of a source may take; nothing where no bodies come from.
    pub(super) fn of(&self, source: Source) -> Option<&Memory> {
        let mut known = self.0.iter();
        known
            .find(|(of, _)| *of == source)
            .map(|(_, memory)| memory)
    }
}

impl Memory {
    fn new(bytes: usize) -> Self {
        let pieces = (bytes / PIECE).clamp(1, Semaphore::MAX_PERMITS);
        Self {
            pieces: Arc::new(Semaphore::new(pieces)),
            readings: Arc::new(Mutex::new(Readings {
                next: 0,
                open: BTreeMap::new(),
                taken: 0,
                pieces,
            })),
        }
    }

    /// Whether bodies that wait to be stored have taken all of it, so that no new one can be read.
    pub(super) fn is_exhausted(&self) -> bool {
        let readings = self.readings();
        readings.taken >= readings.pieces && readings.open.is_empty()
    }

    fn readings(&self) -> MutexGuard<'_, Readings> {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) -> Reading<'_> {
        let mut readings = self.readings();
        let number = readings.next;
        readings.next += 1;
        let gives_way = CancellationToken::new();
        let open = Open {
            pieces: 0,
            gives_way: gives_way.clone(),
        };
        readings.open.insert(number, open);
        Reading {
            memory: self,
            number,
            gives_way,
            bytes: 0,
            permit: None,
        }
    }

    /// Takes so much for a body that is being read. Where there is not enough, whoever has been sending for longest
    /// gives way; `false` if that does not help.
    fn take(&self, pieces: usize, number: u64) -> bool {
        let mut readings = self.readings();
        while readings.taken + pieces > readings.pieces {
            let mut others = readings.open.iter();
            let oldest = others.find(|(other, open)| **other != number && open.pieces > 0);
            let Some(oldest) = oldest.map(|(oldest, _)| *oldest) else {
                return false;
            };
            if let Some(oldest) = readings.open.remove(&oldest) {
                oldest.gives_way.cancel();
                readings.taken -= oldest.pieces;
            }
        }
        // What gave way itself takes nothing more.
        if let Some(open) = readings.open.get_mut(&number) {
            open.pieces += pieces;
            readings.taken += pieces;
        }
        true
    }
}

impl Reading<'_> {
    async fn extend(&mut self, bytes: usize) -> Result<(), Unread> {
        let before = self.bytes.div_ceil(PIECE);
        self.bytes += bytes;
        let pieces = self.bytes.div_ceil(PIECE) - before;
        if pieces == 0 {
            return Ok(());
        }
        let many = u32::try_from(pieces).map_err(|_| Unread::TooLarge)?;
        if !self.memory.take(pieces, self.number) {
            return Err(Unread::NoMemory);
        }
        // Those who gave way may not have gone yet.
        let more = self.memory.pieces.clone().acquire_many_owned(many);
        let more = more.await.map_err(|_| Unread::NoMemory)?;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        Ok(())
    }

    /// The body is there: it gives way to nobody any more.
    fn finish(&mut self) -> Share {
        let open = self.memory.readings().open.remove(&self.number);
        Share {
            memory: self.memory.clone(),
            pieces: open.map_or(0, |open| open.pieces),
            _permit: self.permit.take(),
        }
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut readings = self.memory.readings();
        if let Some(open) = readings.open.remove(&self.number) {
            readings.taken -= open.pieces;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.memory.readings().taken -= self.pieces;
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

async fn collect(body: Body, most: usize, memory: &Memory) -> Result<Whole, Unread> {
    let mut reading = memory.begin();
    let gives_way = reading.gives_way.clone();
    tokio::select! {
        whole = gather(body, most, &mut reading) => whole,
        () = gives_way.cancelled() => Err(Unread::NoMemory),
    }
}

async fn gather(mut body: Body, most: usize, reading: &mut Reading<'_>) -> Result<Whole, Unread> {
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unread::BrokenOff)?.into_data() else {
            continue;
        };
        if first.len() + joined.len() + data.len() > most {
            return Err(Unread::TooLarge);
        }
        reading.extend(data.len()).await?;
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
        _share: reading.finish(),
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use hyper::body::Frame;

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
            let body = Body::from(vec![7; 4 << 10]);
            let whole = read(body, 1 << 20, Duration::from_secs(5), &memory);
            let whole = whole.await.unwrap();
            assert!(memory.is_exhausted());
            drop(whole);
            assert!(!memory.is_exhausted());
        }
    }

    /// A body of which this comes, and the rest never does.
    struct Held(Option<Bytes>);

    impl hyper::body::Body for Held {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            match self.0.take() {
                Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                None => Poll::Pending,
            }
        }
    }

    /// A body whose frames come one after the other.
    struct Frames(tokio::sync::mpsc::Receiver<Bytes>);

    impl hyper::body::Body for Frames {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let next = self.0.poll_recv(context);
            next.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
        }
    }

    fn held(bytes: usize) -> Body {
        Body::new(Held(Some(vec![7; bytes].into())))
    }

    #[tokio::test]
    async fn whoever_has_been_sending_for_longest_gives_way() {
        let memory = Memory::new(10 << 10);
        let mut held_back = Vec::new();
        for _ in 0..2 {
            let memory = memory.clone();
            held_back.push(tokio::spawn(async move {
                read(held(5 << 10), 1 << 20, Duration::from_secs(60), &memory).await
            }));
            tokio::task::yield_now().await;
        }
        assert_eq!(memory.readings().taken, 10);
        assert!(!memory.is_exhausted());
        let body = Body::from(vec![7; 2 << 10]);
        let whole = read(body, 1 << 20, Duration::from_secs(5), &memory).await;
        assert_eq!(whole.unwrap().bytes.len(), 2 << 10);
        let first = held_back.remove(0).await.unwrap();
        assert_eq!(first.map(|_| ()), Err(Unread::NoMemory));
        assert!(!held_back[0].is_finished());
        held_back[0].abort();
    }

    #[tokio::test]
    async fn small_frames_take_no_more_than_large_ones() {
        let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(8);
        tokio::spawn(async move {
            for _ in 0..1_024 {
                sender.send(vec![7; 3].into()).await.unwrap();
            }
        });
        let whole = read_with(Body::new(Frames(receiver)), 3 << 10, 3 << 10).await;
        assert_eq!(whole.unwrap().len(), 3 << 10);
    }

    #[tokio::test]
    async fn what_waits_to_be_stored_gives_way_to_nobody() {
        let memory = Memory::new(4 << 10);
        let deadline = Duration::from_secs(5);
        let body = || Body::from(vec![7; 3 << 10]);
        let whole = read(body(), 1 << 20, deadline, &memory).await.unwrap();
        let other = read(body(), 1 << 20, deadline, &memory).await;
        assert_eq!(other.map(|_| ()), Err(Unread::NoMemory));
        assert_eq!(whole.bytes.len(), 3 << 10);
    }

    #[test]
    fn each_source_has_memory_of_its_own() {
        let memories = Memories::new(8 << 20, 1 << 20);
        let pieces = |source| {
            let memory = memories.of(source);
            memory.map(|memory| memory.pieces.available_permits() * PIECE)
        };
        assert_eq!(pieces(Source::Forge(Forge::GitHub)), Some(2 << 20));
        assert_eq!(pieces(Source::Chat(Chat::Slack)), Some(2 << 20));
        assert_eq!(pieces(Source::Countersign), None);
        let small = Memories::new(1 << 20, 1 << 20);
        let largest = small.of(Source::Forge(Forge::GitLab)).unwrap();
        assert_eq!(largest.pieces.available_permits() * PIECE, 1 << 20);
    }
}
