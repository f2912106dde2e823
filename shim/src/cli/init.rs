//! `shim init`: a first configuration file from five answers.

use std::{
    fs::{self, OpenOptions},
    future::{self, Future as _},
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    pin::pin,
    task::Poll,
};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use mappings::Catalog;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{runtime::Builder, signal, task::spawn_blocking};

use super::{Failure, banner};
use crate::settings::{Config, Flags, Sources};

/// Write a first configuration file.
///
/// Asks for what no flag gives, one line each, on standard input. Secrets are not shown, and go
/// into files of their own that only their owner can read, or also the group of secrets/ if that
/// folder has the setgid bit. Existing files are never overwritten.
#[derive(Args, Clone, Debug)]
pub(crate) struct Init {
    /// The folder for shim.toml and secrets/
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The `api_key` that the old programs send
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,
    /// A file that holds their `api_secret`; it stays where it is
    #[arg(long, value_name = "FILE")]
    api_secret_file: Option<PathBuf>,
    /// The account id of the server-to-server OAuth app
    #[arg(long, value_name = "ID")]
    account_id: Option<String>,
    /// The app's client id
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// A file that holds the app's client secret; it stays where it is
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// The price plan of the account: free, pro, business or unlimited
    #[arg(long, value_name = "PLAN", default_value = "pro")]
    plan: String,
}

pub(super) const EXIT_CODES: &str = "Exit codes:
  0  the files are written
  1  they cannot be written
  2  a file exists, an answer is missing, or an answer is no valid setting; nothing was written";

/// A secret: the path of its file, and the content to write unless the file exists.
struct SecretFile {
    path: PathBuf,
    content: Option<SecretString>,
}

pub(super) fn make(arguments: &Init) -> Result<(), Failure> {
    let file = arguments.dir.join("shim.toml");
    refuse_existing(&file).map_err(Failure::Settings)?;
    let dir =
        std::path::absolute(&arguments.dir).map_err(|error| Failure::Settings(error.into()))?;
    let secrets = dir.join("secrets");
    let written = (|| {
        let api_key = prompt(
            arguments.api_key.as_deref(),
            "The api_key that the old programs send",
        )?;
        let api_secret = secret(
            arguments.api_secret_file.as_deref(),
            secrets.join("v1"),
            "Their api_secret",
        )?;
        let account_id = prompt(
            arguments.account_id.as_deref(),
            "Account ID of the OAuth app",
        )?;
        let client_id = prompt(arguments.client_id.as_deref(), "Client ID of the app")?;
        let client_secret = secret(
            arguments.client_secret_file.as_deref(),
            secrets.join("v2"),
            "Client secret of the app",
        )?;
        let ids = [&api_key, &account_id, &client_id].map(String::as_str);
        let text = settings(
            &arguments.plan,
            ids,
            [api_secret.path.as_path(), client_secret.path.as_path()],
        );
        check(&file, &text, &[&api_secret, &client_secret])?;
        Ok((text, [api_secret, client_secret]))
    })();
    let (text, secret_files) = written.map_err(Failure::Settings)?;
    write(&file, &text, &secret_files).map_err(Failure::Running)?;
    let shown = file.display();
    banner::print(&format_args!(
        "\n{shown} is written; secrets are in files of their own.\n\
         next:\n  \
         shim doctor --config {shown}\n  \
         shim serve --config {shown}\n"
    ));
    Ok(())
}

fn refuse_existing(file: &Path) -> anyhow::Result<()> {
    if file.try_exists().unwrap_or(true) {
        bail!(
            "{} exists; name another folder, or change that file",
            file.display()
        );
    }
    Ok(())
}

/// The value of a flag, else the next line of standard input.
fn prompt(given: Option<&str>, question: &str) -> anyhow::Result<String> {
    match given {
        Some(given) => Ok(given.to_owned()),
        None => Ok(answer(question, false)?.expose_secret().to_owned()),
    }
}

/// The file of a flag, else a new file with the next line of standard input.
fn secret(given: Option<&Path>, path: PathBuf, question: &str) -> anyhow::Result<SecretFile> {
    if let Some(given) = given {
        return Ok(SecretFile {
            path: std::path::absolute(given)?,
            content: None,
        });
    }
    refuse_existing(&path)?;
    let content = Some(answer(question, true)?);
    Ok(SecretFile { path, content })
}

/// The next line of standard input.
fn answer(question: &str, is_secret: bool) -> anyhow::Result<SecretString> {
    let line = if io::stdin().is_terminal() {
        terminal_answer(question, is_secret)?
    } else {
        io::stdin().lines().next().transpose()?
    };
    let line = line.unwrap_or_default().trim().to_owned();
    if line.is_empty() {
        return Err(anyhow!("an answer is missing: {question}"));
    }
    Ok(line.into())
}

/// Prompts for a line. Ctrl-C is an error, so that the echo is restored before the program ends;
/// not every shell restores it.
fn terminal_answer(question: &str, is_secret: bool) -> anyhow::Result<Option<String>> {
    const INTERRUPTED: &str = "interrupted; nothing was written";
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let line = runtime.block_on(async {
        let mut interrupted = pin!(signal::ctrl_c());
        // The first poll installs the handler, which must come before the echo is off and the
        // prompt is shown.
        let first = future::poll_fn(|context| Poll::Ready(interrupted.as_mut().poll(context)));
        if first.await.is_ready() {
            bail!(INTERRUPTED)
        }
        let hidden = is_secret.then(HiddenInput::begin).transpose()?;
        // Prompts go to standard error, because they are not output of the program.
        let mut output = io::stderr();
        let hint = if is_secret { " (not shown)" } else { "" };
        write!(output, "{question}{hint}: ").and_then(|()| output.flush())?;
        let line = spawn_blocking(|| io::stdin().lines().next().transpose());
        let line = tokio::select! {
            line = line => line??,
            interrupted = interrupted => {
                interrupted?;
                bail!(INTERRUPTED)
            }
        };
        if hidden.is_some() {
            // The typed line end was not echoed.
            let _ = writeln!(output);
        }
        Ok(line)
    });
    // The reading thread cannot be stopped.
    runtime.shutdown_background();
    line
}

/// The text of the settings file. Plan and ids are escaped for TOML.
fn settings(plan: &str, ids: [&str; 3], files: [&Path; 2]) -> String {
    let text = |value: &str| toml::Value::from(value).to_string();
    let [api_key, account_id, client_id] = ids.map(text);
    let [api_secret, client_secret] = files.map(|file| text(&file.to_string_lossy()));
    let plan = text(plan);
    format!(
        "# All settings: shim check-config --config FILE\n\
         [upstream]\n\
         url = \"https://api.zoom.us/v2\"\n\
         plan = {plan}                          # the account's price plan: free, pro, business, unlimited\n\
         \n\
         [[tenant]]\n\
         api_key = {api_key}\n\
         api_secret_file = {api_secret}\n\
         \n\
         [tenant.oauth]\n\
         account_id = {account_id}\n\
         client_id = {client_id}\n\
         client_secret_file = {client_secret}\n"
    )
}

/// Refuses settings that `serve` would refuse.
fn check(file: &Path, text: &str, secrets: &[&SecretFile]) -> anyhow::Result<()> {
    let name = file.display().to_string();
    let read = |path: &Path| {
        let known = secrets.iter().find(|secret| secret.path == path);
        match known.and_then(|secret| secret.content.as_ref()) {
            Some(content) => Ok(content.expose_secret().to_owned()),
            None => fs::read_to_string(path),
        }
    };
    let sources = Sources {
        file: Some((&name, text)),
        environment: &|_| None,
        flags: Flags::default(),
        read: &read,
    };
    Config::load(&sources, &Catalog::embedded()?)?;
    Ok(())
}

fn write(file: &Path, text: &str, secrets: &[SecretFile]) -> anyhow::Result<()> {
    for SecretFile { path, content } in secrets {
        if let Some(content) = content {
            let folder = path.parent().unwrap_or(Path::new("."));
            create_private_folder(folder)
                .with_context(|| format!("{} cannot be created", folder.display()))?;
            let mode = if is_for_group(folder) { 0o640 } else { 0o600 };
            create(path, content.expose_secret(), mode)?;
        }
    }
    create(file, text, 0o644)
}

/// Creates a new file with this mode.
fn create(path: &Path, content: &str, mode: u32) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let created = options.open(path).and_then(|mut file| {
        file.write_all(content.as_bytes())?;
        file.sync_all()
    });
    created.with_context(|| format!("{} cannot be written", path.display()))
}

/// True if the folder has the setgid bit, so that its group is meant to read the files in it.
fn is_for_group(folder: &Path) -> bool {
    #[cfg(unix)]
    {
        const SETGID: u32 = 0o2000;
        let metadata = fs::metadata(folder);
        metadata.is_ok_and(|data| std::os::unix::fs::MetadataExt::mode(&data) & SETGID != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        false
    }
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Switches the echo of the terminal off until it is dropped.
struct HiddenInput(#[cfg(target_os = "linux")] rustix::termios::Termios);

#[cfg(target_os = "linux")]
impl HiddenInput {
    fn begin() -> anyhow::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &silent)?;
        Ok(Self(before))
    }
}

#[cfg(target_os = "linux")]
impl Drop for HiddenInput {
    fn drop(&mut self) {
        let now = rustix::termios::OptionalActions::Now;
        let _ = rustix::termios::tcsetattr(io::stdin(), now, &self.0);
    }
}

#[cfg(not(target_os = "linux"))]
impl HiddenInput {
    fn begin() -> anyhow::Result<Self> {
        bail!(
            "the terminal would show the secret; name a file with --api-secret-file or --client-secret-file"
        )
    }
}
