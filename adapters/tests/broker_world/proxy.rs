//! A TCP proxy in front of the server, to cut and to freeze connections.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open(u32),
    Frozen,
}

pub struct Proxy {
    pub url: String,
    state: watch::Sender<State>,
}

impl Proxy {
    /// Leads to the server that `url` names.
    pub async fn start(url: &str) -> Self {
        let mut url = url::Url::parse(url).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5672));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let (state, _) = watch::channel(State::Open(0));
        let watched = state.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(lead(client, server.clone(), watched.clone()));
            }
        });
        Self { url: url.into(), state }
    }

    /// Ends every connection; new ones are welcome.
    pub fn cut(&self) {
        self.state.send_modify(|state| {
            *state = State::Open(if let State::Open(cuts) = state { *cuts + 1 } else { 0 });
        });
    }

    /// Nothing moves any more, and nothing is closed either.
    pub fn freeze(&self) {
        self.state.send_replace(State::Frozen);
    }
}

async fn lead(mut client: TcpStream, server: String, mut state: watch::Receiver<State>) {
    let before = *state.borrow_and_update();
    if before != State::Frozen {
        let mut server = TcpStream::connect(server).await.unwrap();
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = state.changed() => {}
        }
        if *state.borrow() != State::Frozen {
            return;
        }
        // Frozen: both sockets stay open until somebody cuts.
        let _ = state.wait_for(|now| *now != State::Frozen).await;
        return;
    }
    let _ = state.wait_for(|now| *now != State::Frozen).await;
}
