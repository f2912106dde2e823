//! `shim dev-cert`: writes the files of a local certificate authority and a certificate, and prints
//! the next steps.

pub(super) mod authority;

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    net::{Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail};
use secrecy::ExposeSecret as _;
use time::OffsetDateTime;

use super::{DevCert, Failure, banner};
use crate::private_file::owner_only;
use authority::{Pair, ServerName, authority, issue};

/// Default host names: those that v1 programs call.
const NAMES: [&str; 2] = ["api.zoom.us", "www.zoom.us"];

const AUTHORITY_FILE: &str = "ca.pem";
const AUTHORITY_KEY_FILE: &str = "ca-key.pem";
const CERTIFICATE_FILE: &str = "cert.pem";
const KEY_FILE: &str = "key.pem";

/// Creates the authority if it is missing, and always a new certificate.
pub(super) fn make(arguments: &DevCert) -> Result<(), Failure> {
    let made = make_in(
        &arguments.dir,
        names(&arguments.names),
        OffsetDateTime::now_utc(),
    );
    banner::print(&made.map_err(Failure::Running)?);
    Ok(())
}

/// The written files.
struct Made {
    /// An absolute path.
    folder: PathBuf,
    names: Vec<ServerName>,
    is_new_authority: bool,
    until: time::Date,
}

fn names(given: &[ServerName]) -> Vec<ServerName> {
    let usual = NAMES.map(|name| ServerName::Dns(name.to_owned()));
    let mut names = if given.is_empty() {
        usual.to_vec()
    } else {
        given.to_vec()
    };
    let local = [
        ServerName::Dns("localhost".to_owned()),
        ServerName::Address(Ipv4Addr::LOCALHOST.into()),
        ServerName::Address(Ipv6Addr::LOCALHOST.into()),
    ];
    names.extend(local);
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(name.clone());
            true
        }
    });
    names
}

fn make_in(folder: &Path, names: Vec<ServerName>, now: OffsetDateTime) -> anyhow::Result<Made> {
    let unusable = || format!("--dir: {} cannot be written to", folder.display());
    fs::create_dir_all(folder).with_context(unusable)?;
    let folder = folder.canonicalize().with_context(unusable)?;
    let known = read_authority(&folder)?;
    let is_new_authority = known.is_none();
    let of = if let Some(known) = known {
        known
    } else {
        let made = authority(&names, now)?;
        let key = made.key.expose_secret();
        create(&folder.join(AUTHORITY_KEY_FILE), key, true)?;
        create(&folder.join(AUTHORITY_FILE), &made.certificate, false)?;
        made
    };
    let issued = issue(&of, &names, now).map_err(|error| {
        anyhow!(
            "{} cannot be used: {error}; choose another --dir, or remove {AUTHORITY_FILE} and \
             {AUTHORITY_KEY_FILE} and have the new one trusted",
            folder.join(AUTHORITY_FILE).display()
        )
    })?;
    replace(&folder.join(KEY_FILE), issued.key.expose_secret(), true)?;
    replace(&folder.join(CERTIFICATE_FILE), &issued.certificate, false)?;
    Ok(Made {
        folder,
        names,
        is_new_authority,
        until: authority::until(now),
    })
}

/// The authority of an earlier run, if there is one.
fn read_authority(folder: &Path) -> anyhow::Result<Option<Pair>> {
    let read = |name: &str| {
        let path = folder.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
    };
    match (read(AUTHORITY_FILE)?, read(AUTHORITY_KEY_FILE)?) {
        (Some(certificate), Some(key)) => Ok(Some(Pair {
            certificate,
            key: key.into(),
        })),
        (None, None) => Ok(None),
        (Some(_), None) => bail!(
            "{} is there and its {AUTHORITY_KEY_FILE} is not: no certificate can be made; choose \
             another --dir",
            folder.join(AUTHORITY_FILE).display()
        ),
        (None, Some(_)) => bail!(
            "{} is there and its {AUTHORITY_FILE} is not; choose another --dir",
            folder.join(AUTHORITY_KEY_FILE).display()
        ),
    }
}

/// Writes a new file.
fn create(path: &Path, text: &str, is_secret: bool) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    write(path, &options, text, is_secret)
}

/// Replaces a file atomically.
fn replace(path: &Path, text: &str, is_secret: bool) -> anyhow::Result<()> {
    let next = path.with_extension("pem.new");
    let mut options = OpenOptions::new();
    // A leftover file would keep its permissions.
    let _ = fs::remove_file(&next);
    options.write(true).create_new(true);
    write(&next, &options, text, is_secret)?;
    fs::rename(&next, path).with_context(|| format!("{} cannot be written", path.display()))
}

fn write(path: &Path, options: &OpenOptions, text: &str, is_secret: bool) -> anyhow::Result<()> {
    let mut options = options.clone();
    if is_secret {
        owner_only(&mut options);
    }
    let written = options.open(path).and_then(|mut file: File| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.with_context(|| format!("{} cannot be written", path.display()))
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = |name: &str| self.folder.join(name).display().to_string();
        let (ca, cert, key) = (file(AUTHORITY_FILE), file(CERTIFICATE_FILE), file(KEY_FILE));
        let hosts = self.names.iter().filter_map(|name| match name {
            ServerName::Dns(name) if name != "localhost" => Some(name.as_str()),
            _ => None,
        });
        let hosts: Vec<_> = hosts.collect();
        let host = hosts.first().copied().unwrap_or("localhost");
        let names: Vec<_> = self.names.iter().map(ToString::to_string).collect();
        let age = if self.is_new_authority {
            "new; valid for these names only"
        } else {
            "existing"
        };
        write!(
            f,
            "authority    {ca}  ({age})\n\
             certificate  {cert}  (until {until})\n\
             key          {key}\n\
             names        {names}\n\
             \n\
             1. Have the shim use it, in shim.toml; and again before it ends, with this command and SIGHUP:\n\
             \n\
             [tls]\n\
             listen = \"0.0.0.0:443\"      # 443 needs a right: see the README\n\
             cert_file = {cert_text}\n\
             key_file = {key_text}\n",
            until = self.until,
            names = names.join(", "),
            cert_text = toml::Value::from(cert.as_str()),
            key_text = toml::Value::from(key.as_str()),
        )?;
        if !hosts.is_empty() {
            write!(
                f,
                "\n\
                 2. Lead the programs' machine to it, in /etc/hosts (Windows: \
                 C:\\Windows\\System32\\drivers\\etc\\hosts):\n\
                 \n\
                 127.0.0.1  {}\n\
                 \n   \
                 127.0.0.1 if the shim runs there too: it then needs other ways to v2, in shim.toml:\n\
                 \n\
                 [upstream]\n\
                 dns = [\"192.0.2.53\"]         # your name server; it must know {host}\n",
                hosts.join("  ")
            )?;
        }
        write!(
            f,
            "\n\
             3. Have the programs trust the authority (copy {AUTHORITY_FILE} there, never \
             {AUTHORITY_KEY_FILE}):\n\
             \n\
             curl        curl --cacert {ca} …\n\
             PHP         curl.cainfo = {ca}  and  openssl.cafile = {ca}, in php.ini\n\
             Python      REQUESTS_CA_BUNDLE={ca}  (requests); SSL_CERT_FILE={ca}  (urllib, httpx)\n\
             Node        NODE_EXTRA_CA_CERTS={ca}\n\
             Ruby        SSL_CERT_FILE={ca}\n\
             Java        keytool -importcert -noprompt -alias shim -file {ca} \\\n            \
             \u{20}           -keystore \"$JAVA_HOME/lib/security/cacerts\" -storepass changeit\n\
             .NET, PowerShell, Windows\n            \
             Import-Certificate -FilePath ca.pem -CertStoreLocation Cert:\\LocalMachine\\Root\n\
             Debian      cp {ca} /usr/local/share/ca-certificates/shim.crt && update-ca-certificates\n\
             \n   \
             Where a variable or setting names one file for all authorities, other hosts are refused \
             then:\n   \
             put {AUTHORITY_FILE} at the end of a copy of the system's bundle, and name that.\n\
             \n\
             try:\n  \
             curl --cacert {ca} --resolve {host}:8443:127.0.0.1 https://{host}:8443/v1/user/list\n\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> OffsetDateTime {
        rcgen::date_time_ymd(2030, 6, 1)
    }

    fn read(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join(name)).unwrap()
    }

    #[test]
    fn keeps_the_authority_and_renews_the_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("a/b");
        let made = make_in(&folder, names(&[]), now()).unwrap();
        assert!(made.is_new_authority);
        let before = [
            AUTHORITY_FILE,
            AUTHORITY_KEY_FILE,
            CERTIFICATE_FILE,
            KEY_FILE,
        ]
        .map(|name| read(&folder, name));
        let made = make_in(&folder, names(&[]), now()).unwrap();
        assert!(!made.is_new_authority);
        assert_eq!(read(&folder, AUTHORITY_FILE), before[0]);
        assert_eq!(read(&folder, AUTHORITY_KEY_FILE), before[1]);
        assert_ne!(read(&folder, CERTIFICATE_FILE), before[2]);
        assert_ne!(read(&folder, KEY_FILE), before[3]);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 4);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_keys() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            make_in(folder.path(), names(&[]), now()).unwrap();
            for name in [AUTHORITY_KEY_FILE, KEY_FILE] {
                let data = fs::metadata(folder.path().join(name)).unwrap();
                assert_eq!(data.permissions().mode() & 0o777, 0o600, "{name}");
            }
        }
    }

    #[test]
    fn errors_name_the_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        make_in(folder.path(), names(&[]), now()).unwrap();
        let error = |given: &[ServerName]| {
            let error = make_in(folder.path(), names(given), now()).err().unwrap();
            let path = folder.path().canonicalize().unwrap();
            format!("{error:#}").replace(path.to_str().unwrap(), "DIR")
        };
        let other = error(&["zoom.example.com".parse().unwrap()]);
        fs::remove_file(folder.path().join(AUTHORITY_KEY_FILE)).unwrap();
        let no_key = error(&[]);
        fs::rename(
            folder.path().join(AUTHORITY_FILE),
            folder.path().join(AUTHORITY_KEY_FILE),
        )
        .unwrap();
        insta::assert_snapshot!([other, no_key, error(&[])].join("\n"));
    }

    #[test]
    fn the_next_steps() {
        let made = Made {
            folder: PathBuf::from("/etc/shim"),
            names: names(&[]),
            is_new_authority: true,
            until: now().date(),
        };
        insta::assert_snapshot!(made);
        let made = Made {
            names: names(&["zoom.example.com".parse().unwrap()]),
            is_new_authority: false,
            ..made
        };
        assert!(made.to_string().contains("127.0.0.1  zoom.example.com\n"));
    }
}
