//! Naming and encryption of stored entries, so that the store is useless without the key.
//!
//! A name is an HMAC. A value is encrypted with ChaCha20-Poly1305, with its name as associated
//! data. Both keys are derived from the 32 bytes of the key file. The previous key still decrypts,
//! so that a key can be rotated without loss.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::Path,
};

use bytes::Bytes;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};

use super::StateError;
use crate::private_file::owner_only;

/// First byte of an encrypted value: the version of the format.
const VERSION: u8 = 1;

/// Length of a key file, in bytes.
pub(super) const KEY_BYTES: usize = 32;

/// Name of an entry: an HMAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub(super) u128);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl std::str::FromStr for Name {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

/// Namespaces. Names of different spaces never collide.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Space {
    Account,
    Call,
    Failures,
    Group,
    List,
    Message,
    Queue,
    Write,
    Day,
    Rate,
    Subject,
    LinkKey,
    Rollout,
}

/// The current and the previous keys.
pub(super) struct Keyring {
    current: Keys,
    previous: Option<Keys>,
    random: SystemRandom,
}

struct Keys {
    names: hmac::Key,
    seal: LessSafeKey,
}

impl Keyring {
    pub(super) fn new(
        key: &[u8; KEY_BYTES],
        previous: Option<&[u8; KEY_BYTES]>,
    ) -> Result<Self, StateError> {
        Ok(Self {
            current: Keys::derive(key)?,
            previous: previous.map(Keys::derive).transpose()?,
            random: SystemRandom::new(),
        })
    }

    /// A keyring with a random key.
    pub(super) fn random() -> Result<Self, StateError> {
        Self::new(&fresh_key()?, None)
    }

    /// The name of an entry, from the parts that identify it.
    pub(super) fn name(&self, space: Space, parts: &[&[u8]]) -> Name {
        self.current.name(space, parts)
    }

    /// The same name under the previous key.
    pub(super) fn previous_name(&self, space: Space, parts: &[&[u8]]) -> Option<Name> {
        let previous = self.previous.as_ref()?;
        Some(previous.name(space, parts))
    }

    /// Keys for MACs outside of the shim, the current one first.
    pub(super) fn mac_keys(&self, space: Space) -> Vec<[u8; KEY_BYTES]> {
        let keys = std::iter::once(&self.current).chain(&self.previous);
        keys.map(|keys| keys.mac_key(space)).collect()
    }

    /// Encrypts a value.
    pub(super) fn seal(&self, name: Name, value: &[u8]) -> Result<Bytes, StateError> {
        let mut nonce = [0; NONCE_LEN];
        let failed = |_| StateError::Random;
        self.random.fill(&mut nonce).map_err(failed)?;
        let mut sealed = value.to_vec();
        let (key, sealed_with) = (&self.current.seal, Nonce::assume_unique_for_key(nonce));
        key.seal_in_place_append_tag(sealed_with, associated(name), &mut sealed)
            .map_err(failed)?;
        let mut whole = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
        whole.push(VERSION);
        whole.extend_from_slice(&nonce);
        whole.extend_from_slice(&sealed);
        Ok(whole.into())
    }

    /// Decrypts a value; `None` if no key decrypts it under this name.
    pub(super) fn open(&self, name: Name, sealed: &[u8]) -> Option<Bytes> {
        let mut keys = std::iter::once(&self.current).chain(&self.previous);
        keys.find_map(|keys| keys.open(name, sealed))
    }
}

impl Keys {
    fn derive(key: &[u8; KEY_BYTES]) -> Result<Self, StateError> {
        let secret = Salt::new(HKDF_SHA256, b"shim state 1").extract(key);
        let failed = |_| StateError::Random;
        let names = secret.expand(&[b"names"], hmac::HMAC_SHA256);
        let seal = secret.expand(&[b"seal"], &CHACHA20_POLY1305);
        Ok(Self {
            names: names.map_err(failed)?.into(),
            seal: LessSafeKey::new(UnboundKey::from(seal.map_err(failed)?)),
        })
    }

    fn name(&self, space: Space, parts: &[&[u8]]) -> Name {
        let tag = self.tag(space, parts);
        let bytes = tag.as_ref().first_chunk().copied().unwrap_or_default();
        Name(u128::from_be_bytes(bytes))
    }

    fn mac_key(&self, space: Space) -> [u8; KEY_BYTES] {
        let tag = self.tag(space, &[]);
        tag.as_ref().first_chunk().copied().unwrap_or_default()
    }

    fn tag(&self, space: Space, parts: &[&[u8]]) -> hmac::Tag {
        let mut digest = hmac::Context::with_key(&self.names);
        digest.update(&[space as u8]);
        for part in parts {
            digest.update(&part.len().to_le_bytes());
            digest.update(part);
        }
        digest.sign()
    }

    fn open(&self, name: Name, sealed: &[u8]) -> Option<Bytes> {
        let (version, rest) = sealed.split_first()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        if *version != VERSION {
            return None;
        }
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self
            .seal
            .open_in_place(nonce, associated(name), &mut sealed);
        let length = opened.ok()?.len();
        sealed.truncate(length);
        Some(sealed.into())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(…)")
    }
}

fn associated(name: Name) -> Aad<[u8; 16]> {
    Aad::from(name.0.to_be_bytes())
}

fn fresh_key() -> Result<[u8; KEY_BYTES], StateError> {
    let mut key = [0; KEY_BYTES];
    let filled = SystemRandom::new().fill(&mut key);
    filled.map_err(|_| StateError::Random)?;
    Ok(key)
}

/// Reads a key file. Warns if other users can read it.
pub(super) fn read_key(file: &Path) -> Result<[u8; KEY_BYTES], StateError> {
    let failed = |source| StateError::KeyFile {
        file: file.to_owned(),
        source,
    };
    let opened = File::open(file).map_err(failed)?;
    let mut bytes = Vec::new();
    // A longer file is invalid and is not read to its end.
    let limit = KEY_BYTES as u64 + 1;
    (&opened)
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = opened.metadata().map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            let file = file.display();
            tracing::warn!(%file, "The state key can be read by other users: chmod 600");
        }
    }
    bytes
        .try_into()
        .map_err(|_| StateError::KeyLength(file.to_owned()))
}

/// Reads a key file, and creates it if it is missing. If several processes create it at the same
/// time, one succeeds and all read its key.
pub(super) fn read_or_create_key(file: &Path) -> Result<[u8; KEY_BYTES], StateError> {
    if !file.exists() {
        create_key(file).map_err(|source| StateError::KeyFile {
            file: file.to_owned(),
            source,
        })?;
    }
    read_key(file)
}

fn create_key(file: &Path) -> io::Result<()> {
    let key = fresh_key().map_err(io::Error::other)?;
    let made = file.with_extension(format!("key.{:08x}", fastrand::u32(..)));
    let mut options = OpenOptions::new();
    owner_only(options.create_new(true).write(true));
    let mut opened = options.open(&made)?;
    let written = opened.write_all(&key).and_then(|()| opened.sync_all());
    // A hard link never replaces a file: another process may use its key already.
    let linked = written.and_then(|()| fs::hard_link(&made, file));
    fs::remove_file(&made)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
