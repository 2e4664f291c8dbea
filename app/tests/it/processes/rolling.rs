//! Every process is replaced by another one while requests keep coming: each is answered, each mail goes
//! out once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::http::Client;
use futures_util::future::{join, join_all};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::TURN;
use super::fleet::{Api, Fleet};
use super::history::Tally;
use super::process::Process;
use super::record::{Repeats, record};
use crate::harness::block_on;
use crate::servers::eventually;

/// R1
#[test]
fn a_rolling_restart_answers_every_request_and_sends_each_mail_once() {
    const CLIENTS: usize = 8;
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&[("WELCOMAT_HTTP_DRAIN_SECONDS", "2")]).await;
        fleet.add_api().await;
        fleet.add_api().await;
        (0..2).for_each(|_| fleet.add_worker());
        let (apis, workers) = (std::mem::take(&mut fleet.apis), std::mem::take(&mut fleet.workers));
        let balancer = Balancer::default();
        for api in &apis {
            balancer.add(api);
        }
        let load = Load::default();
        let clients = join_all((0..CLIENTS).map(|_| load.run(&fleet, &balancer)));
        let restart = async {
            let new = replace_all(&fleet, &balancer, apis, workers).await;
            load.over.store(true, Ordering::Relaxed);
            new
        };
        let watched = balancer.watch(join(clients, restart));
        let (_, (apis, workers)) = watched.await;
        (fleet.apis, fleet.workers) = (apis, workers);
        let offered = load.next.load(Ordering::Relaxed);
        assert_eq!(*load.refused.lock().unwrap(), [""; 0], "of {offered}");
        let all =
            Tally { attempted: offered, acknowledged: offered, sent: offered, ..Tally::default() };
        let tally = fleet.settled().await;
        assert_eq!(tally, all);
        assert!(balancer.answered_by_each(), "one of the processes was never used");
        record("R1", "two APIs and two workers replaced under load", &tally, &Repeats::None);
        fleet.end().await;
    });
}

#[test]
fn an_api_that_is_to_stop_still_answers_and_sends_its_clients_elsewhere() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&[("WELCOMAT_HTTP_DRAIN_SECONDS", "600")]).await;
        fleet.add_api().await;
        let api = fleet.apis.pop().unwrap();
        let mut connection = TcpStream::connect(api.address).await.unwrap();
        let before = ask(&mut connection).await;
        assert!(before.starts_with("HTTP/1.1 200") && !before.contains("connection: close"));
        api.process.ask_to_end();
        let ready = eventually("it says that it stops", async || {
            api.client.get("/readyz").await.ok().filter(|answer| answer.status == 503)
        });
        assert_eq!(ready.await.json()["status"], "stopping");
        let after = ask(&mut connection).await;
        assert!(
            after.starts_with("HTTP/1.1 200") && after.contains("connection: close"),
            "{after}"
        );
        assert_eq!(fleet.offer_one(0, &api.client).await.unwrap().status, 201);
        drop(api);
        fleet.end().await;
    });
}

/// An answer over this connection, in lower case.
async fn ask(connection: &mut TcpStream) -> String {
    connection.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    while !answer.contains("alive") {
        let mut some = [0; 1024];
        let read = connection.read(&mut some).await.unwrap();
        assert!(read > 0, "the connection was closed: {answer}");
        answer.push_str(std::str::from_utf8(&some[..read]).unwrap());
    }
    answer.replace("Connection", "connection")
}

/// One after the other: the next begins when its successor is ready and it has ended.
async fn replace_all(
    fleet: &Fleet,
    balancer: &Balancer,
    apis: Vec<Api>,
    workers: Vec<Process>,
) -> (Vec<Api>, Vec<Process>) {
    let (mut new_apis, mut new_workers) = (Vec::new(), Vec::new());
    for mut old in apis {
        let new = fleet.start_api(&[]);
        let is_ready = async || balancer_sees(&new.client).await.then_some(());
        eventually("the new API is ready", is_ready).await;
        balancer.add(&new);
        new_apis.push(new);
        end(&mut old.process).await;
    }
    for mut old in workers {
        new_workers.push(fleet.start_worker(&[]));
        end(&mut old).await;
    }
    (new_apis, new_workers)
}

async fn end(process: &mut Process) {
    process.ask_to_end();
    let status = eventually("it ends", async || process.ended()).await;
    assert!(status.success(), "{status}");
}

/// Clients that invite one after the other, each once.
#[derive(Default)]
struct Load {
    next: AtomicUsize,
    over: AtomicBool,
    /// What was not answered with 201.
    refused: Mutex<Vec<String>>,
}

impl Load {
    async fn run(&self, fleet: &Fleet, balancer: &Balancer) {
        while !self.over.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let backend = balancer.choose(number);
            match fleet.offer_one(number, &backend.client).await {
                Ok(answer) if answer.status == 201 => {
                    backend.answered.fetch_add(1, Ordering::Relaxed);
                }
                Ok(answer) => self.refused.lock().unwrap().push(answer.text()),
                Err(error) => self.refused.lock().unwrap().push(error.to_string()),
            }
        }
    }
}

/// Sends requests to the APIs that said lately that they are ready; never the same request twice.
#[derive(Default)]
struct Balancer(Mutex<Vec<Arc<Backend>>>);

struct Backend {
    client: Client,
    ready: AtomicBool,
    answered: AtomicUsize,
}

impl Balancer {
    fn add(&self, api: &Api) {
        let client = api.client.clone();
        let (ready, answered) = (AtomicBool::new(true), AtomicUsize::new(0));
        self.0.lock().unwrap().push(Arc::new(Backend { client, ready, answered }));
    }

    fn choose(&self, number: usize) -> Arc<Backend> {
        let backends = self.0.lock().unwrap();
        let ready = |backend: &&Arc<Backend>| backend.ready.load(Ordering::Relaxed);
        let ready: Vec<_> = backends.iter().filter(ready).collect();
        Arc::clone(ready[number % ready.len()])
    }

    /// Asks everybody again and again, as long as this takes.
    async fn watch<R>(&self, work: impl Future<Output = R>) -> R {
        let watching = async {
            loop {
                let backends = self.0.lock().unwrap().clone();
                for backend in backends {
                    let ready = balancer_sees(&backend.client).await;
                    backend.ready.store(ready, Ordering::Relaxed);
                }
                // The pace of a health check, well below the drain.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            result = work => result,
            () = watching => unreachable!("it goes on for ever"),
        }
    }

    fn answered_by_each(&self) -> bool {
        let backends = self.0.lock().unwrap();
        backends.iter().all(|backend| backend.answered.load(Ordering::Relaxed) > 0)
    }
}

async fn balancer_sees(client: &Client) -> bool {
    client.get("/readyz").await.is_ok_and(|answer| answer.status == 200)
}
