//! The least that a proxy of the shim's stack can cost: hyper's server and hyper-util's client, nothing
//! in between. Arguments: the address to listen on, and host and port of the server behind.

use std::{env, error::Error};

use hyper::{
    Request, Uri,
    body::Incoming,
    http::uri::{Authority, Scheme},
    service::service_fn,
};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::net::TcpListener;

/// The shim's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(listen), Some(behind)) = (arguments.next(), arguments.next()) else {
        return Err("usage: minimal-proxy LISTEN HOST:PORT".into());
    };
    let behind: Authority = behind.parse()?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Incoming>();
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (client, behind) = (client.clone(), behind.clone());
        tokio::spawn(async move {
            let forward = service_fn(move |mut request: Request<Incoming>| {
                let mut to = request.uri().clone().into_parts();
                to.scheme = Some(Scheme::HTTP);
                to.authority = Some(behind.clone());
                *request.uri_mut() = Uri::from_parts(to).unwrap_or_default();
                request.headers_mut().remove("host");
                client.request(request)
            });
            let server = auto::Builder::new(TokioExecutor::new());
            // Its client sees how a connection ends.
            let _ = server.serve_connection(TokioIo::new(stream), forward).await;
        });
    }
}
