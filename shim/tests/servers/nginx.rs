//! nginx as a load balancer of replicas.

use std::{
    fs,
    hash::{BuildHasher as _, RandomState},
    io, iter,
    net::{Ipv4Addr, TcpListener, TcpStream},
    ops::Range,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

/// An nginx that is stopped on drop.
#[derive(Debug)]
pub(crate) struct Nginx {
    pub(crate) port: u16,
    child: Child,
    _folder: TempDir,
}

impl Nginx {
    /// Balances over local ports and never retries a POST. Waits until the port is open.
    pub(crate) fn start(program: &Path, port: u16, replicas: &[u16]) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let configuration = folder.path().join("nginx.conf");
        fs::write(&configuration, configured(folder.path(), port, replicas))?;
        let mut command = Command::new(program);
        command.arg("-c").arg(&configuration);
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut nginx = Self {
            port,
            child,
            _folder: folder,
        };
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if let Some(ended) = nginx.child.try_wait()? {
                return Err(io::Error::other(format!("nginx: {ended}")));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM also ends the worker.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}

/// A free port below the ephemeral range, so that no other test is assigned it.
pub(crate) fn free_port() -> io::Result<u16> {
    const PORTS: Range<u16> = 12_000..32_000;
    let random = || {
        let number = RandomState::new().hash_one(()) % u64::from(PORTS.end - PORTS.start);
        PORTS.start + u16::try_from(number).unwrap_or(0)
    };
    let mut ports = iter::repeat_with(random).take(100);
    ports
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .ok_or_else(|| io::Error::from(io::ErrorKind::AddrInUse))
}

fn configured(folder: &Path, port: u16, replicas: &[u16]) -> String {
    let folder = folder.display();
    let servers = replicas.iter();
    let servers = servers.map(|port| format!("server 127.0.0.1:{port} max_fails=0;\n"));
    let servers = servers.collect::<Vec<_>>().concat();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/{name};\n"))
        .concat();
    format!(
        "daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
         events {{ worker_connections 4096; }}
         http {{
             access_log off; client_max_body_size 16m; large_client_header_buffers 4 64k;
             {temporary}
             upstream shims {{ {servers} keepalive 8; }}
             server {{
                 listen 127.0.0.1:{port};
                 location / {{
                     proxy_pass http://shims;
                     proxy_http_version 1.1;
                     proxy_set_header Connection '';
                     proxy_connect_timeout 1s;
                     proxy_next_upstream error timeout;
                 }}
             }}
         }}"
    )
}
