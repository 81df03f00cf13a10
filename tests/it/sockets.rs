//! A thousand clients who take their time do not keep others waiting, take little memory, and are sent
//! away when their time is over.

use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::service::Wishes;
use crate::support::{Database, Engine, Service, deliveries, eventually, on_both};

on_both!(
    a_thousand_slow_sockets_disturb_nobody,
    large_bodies_that_nobody_signed_disturb_nobody,
);

const SOCKETS: usize = 1_000;
/// So much memory may a thousand idle connections take, in kilobytes.
const ROOM: u64 = 64 << 10;

#[derive(Clone, Copy, Debug)]
enum Habit {
    Silent,
    DribblesHeader,
    DribblesBody,
}

async fn a_thousand_slow_sockets_disturb_nobody(engine: Engine) {
    raise_file_limit();
    let database = Database::migrated(engine).await;
    let wishes = Wishes {
        server: "header_timeout = \"4s\"\nbody_timeout = \"4s\"".to_owned(),
        ..Wishes::default()
    };
    let service = Service::start_with(&database, None, &wishes).await;
    assert_eq!(
        service
            .deliver("push", "first", deliveries::push(9))
            .await
            .unwrap(),
        202
    );
    let before = service.memory();

    let mut slow = JoinSet::new();
    for number in 0..SOCKETS {
        let habit = [Habit::Silent, Habit::DribblesHeader, Habit::DribblesBody][number % 3];
        // One after the other, so that none is lost in the system's queue.
        let mut socket = TcpStream::connect(service.address).await.unwrap();
        slow.spawn(async move { dribble(&mut socket, habit).await });
    }
    eventually("all are connected", async || {
        let open = service.metric("countersign_connections").await;
        (open >= 900.0).then_some(())
    })
    .await;

    let mut taken = Vec::new();
    for number in 0..9 {
        let body = deliveries::push(9);
        #[expect(clippy::disallowed_methods, reason = "the promise is about real time")]
        let start = Instant::now();
        let sent = service
            .deliver("push", &format!("during-{number}"), body)
            .await;
        assert_eq!(sent.unwrap(), 202);
        taken.push(start.elapsed());
    }
    taken.sort_unstable();
    assert!(taken[4] < Duration::from_secs(1), "{taken:?}");
    let grown = service.memory().saturating_sub(before);
    assert!(grown < ROOM, "memory grew by {grown} kB");

    // Every one of them is sent away; none of these tasks ends before that.
    while let Some(ended) = slow.join_next().await {
        ended.unwrap();
    }
    eventually("nobody is left", async || {
        (service.metric("countersign_connections").await <= 2.0).then_some(())
    })
    .await;
    assert_eq!(service.stop().await, 0);
}

/// Bodies of which the last byte never comes, how many of each length: the large ones are more than all the memory for
/// bodies, and the small ones take what the large ones leave.
const HELD: [(usize, usize); 4] = [(11, 24 << 20), (16, 1 << 20), (16, 64 << 10), (64, 1 << 10)];

async fn large_bodies_that_nobody_signed_disturb_nobody(engine: Engine) {
    const BODY: usize = 25 << 20;
    let database = Database::migrated(engine).await;
    let service = Service::start(&database, None).await;
    let mut held = Vec::new();
    for (count, length) in HELD {
        for _ in 0..count {
            let mut socket = TcpStream::connect(service.address).await.unwrap();
            let head = format!("POST /hooks/github HTTP/1.1\r\ncontent-length: {BODY}\r\n\r\n");
            socket.write_all(head.as_bytes()).await.unwrap();
            // Some are sent away before.
            let _sent = socket.write_all(&vec![b' '; length]).await;
            held.push(socket);
        }
    }
    for number in 0..100 {
        let small = deliveries::push(9);
        let sent = service.deliver("push", &format!("{number}"), small).await;
        assert_eq!(sent.unwrap(), 202, "{number}");
    }
    let mut largest = deliveries::push(9);
    largest.resize(BODY, b' ');
    let sent = service.deliver("push", "largest", largest).await;
    assert_eq!(sent.unwrap(), 202);
    drop(held);
    assert_eq!(service.stop().await, 0);
}

/// Goes on until the other side closes.
async fn dribble(socket: &mut TcpStream, habit: Habit) {
    let head: &[u8] = match habit {
        Habit::Silent => b"",
        Habit::DribblesHeader => b"POST /hooks/github HTTP/1.1\r\nx-slow: ",
        Habit::DribblesBody => b"POST /hooks/github HTTP/1.1\r\ncontent-length: 20000000\r\n\r\n",
    };
    if socket.write_all(head).await.is_err() {
        return;
    }
    let mut answer = [0; 512];
    loop {
        let pause = tokio::time::sleep(Duration::from_millis(400));
        tokio::select! {
            read = socket.read(&mut answer) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            },
            () = pause => {
                let more: &[u8] = match habit {
                    Habit::Silent => b"",
                    Habit::DribblesHeader | Habit::DribblesBody => b"a",
                };
                if socket.write_all(more).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
}
