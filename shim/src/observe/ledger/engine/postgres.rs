//! Ledger in PostgreSQL, in a schema of its own. Uses one connection, which is reopened when lost.

use std::{collections::HashMap, io, time::Duration};

use bytes::BytesMut;
use futures_util::future::try_join_all;
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};
use tokio_postgres::{
    Client, Config, Statement,
    error::SqlState,
    types::{IsNull, ToSql, Type, to_sql_checked},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Cell, Engine, LedgerError, Purpose, Row, SCHEMA, tables, upgrade};

/// Timeout of a connection attempt. Notes wait in the queue meanwhile.
const CONNECT_TIME: Duration = Duration::from_secs(2);

/// Timeout of a statement or a batch.
const STATEMENT_TIME: Duration = Duration::from_secs(10);

/// Maximum number of pipelined statements.
const BATCH: usize = 1000;

/// Advisory lock ("v1us") that a writer holds until the end of its transaction, so that concurrent
/// writers cannot deadlock on rows.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1982952819)";

const DIALECT: [&str; 4] = [
    "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "BIGINT",
    "",
    "",
];

pub(super) struct Postgres {
    /// Drives the connection on its own thread while the caller blocks.
    runtime: Runtime,
    config: Config,
    tls: MakeRustlsConnect,
    /// Creates missing tables.
    is_writer: bool,
    session: Option<Session>,
}

struct Session {
    client: Client,
    statements: HashMap<String, Statement>,
    ledger: String,
}

impl Postgres {
    /// Connects with the first transaction.
    pub(super) fn open(
        url: &str,
        password: Option<&SecretString>,
        is_writer: bool,
    ) -> Result<Self, LedgerError> {
        let mut config: Config = url.parse()?;
        config.connect_timeout(CONNECT_TIME);
        if config.get_application_name().is_none() {
            config.application_name("shim");
        }
        if let Some(password) = password {
            config.password(password.expose_secret());
        }
        let tls = ClientConfig::with_platform_verifier().map_err(io::Error::other)?;
        let mut runtime = Builder::new_multi_thread();
        runtime
            .worker_threads(1)
            .thread_name("ledger-io")
            .enable_all();
        Ok(Self {
            runtime: runtime.build()?,
            config,
            tls: MakeRustlsConnect::new(tls),
            is_writer,
            session: None,
        })
    }

    /// Opens a connection if there is none, or the last one was lost.
    fn connect(&mut self) -> Result<(), LedgerError> {
        self.session.take_if(|session| session.client.is_closed());
        if self.session.is_none() {
            let opened = async {
                let (client, connection) = self.config.connect(self.tls.clone()).await?;
                // The next statement reports its end.
                tokio::spawn(connection);
                Session::begin(client, self.is_writer).await
            };
            self.session = Some(within(&self.runtime, CONNECT_TIME, opened)?);
        }
        Ok(())
    }

    /// The connection of the current transaction.
    fn session(&mut self) -> Result<(&Runtime, &mut Session), LedgerError> {
        let session = self.session.as_mut().ok_or(LedgerError::Lost)?;
        Ok((&self.runtime, session))
    }

    fn execute(&mut self, sql: &str) -> Result<(), LedgerError> {
        let (runtime, session) = self.session()?;
        let executed = async { Ok(session.client.batch_execute(sql).await?) };
        within(runtime, STATEMENT_TIME, executed)
    }
}

impl Session {
    /// Creates missing tables, and checks the version.
    async fn begin(client: Client, is_writer: bool) -> Result<Self, LedgerError> {
        client
            .batch_execute("SET search_path TO shim_ledger")
            .await?;
        let found = "SELECT to_regclass('shim_ledger.version') IS NOT NULL";
        if !client.query_one(found, &[]).await?.try_get::<_, bool>(0)? {
            if !is_writer {
                return Err(LedgerError::Empty);
            }
            let tables = tables(DIALECT);
            let made = format!(
                "BEGIN; {LOCK}; DO $$ BEGIN
                 IF to_regnamespace('shim_ledger') IS NULL THEN CREATE SCHEMA shim_ledger; END IF;
                 IF to_regclass('shim_ledger.version') IS NULL THEN
                     {tables}
                     CREATE TABLE version (schema BIGINT NOT NULL, ledger TEXT NOT NULL);
                     INSERT INTO version VALUES ({SCHEMA}, gen_random_uuid());
                 END IF; END $$; COMMIT"
            );
            client.batch_execute(&made).await?;
        }
        if is_writer {
            let before = SCHEMA - 1;
            let upgrade = upgrade(DIALECT);
            let upgraded = format!(
                "BEGIN; {LOCK}; DO $$ BEGIN
                 IF (SELECT schema FROM version) = {before} THEN
                     {upgrade}
                     UPDATE version SET schema = {SCHEMA};
                 END IF; END $$; COMMIT"
            );
            client.batch_execute(&upgraded).await?;
        }
        let version = client
            .query_one("SELECT schema, ledger FROM version", &[])
            .await?;
        match version.try_get(0)? {
            SCHEMA => Ok(Self {
                client,
                statements: HashMap::new(),
                ledger: version.try_get(1)?,
            }),
            older if older < SCHEMA => Err(LedgerError::Older(older)),
            newer => Err(LedgerError::Newer(newer)),
        }
    }

    async fn prepared(&mut self, sql: &str) -> Result<Statement, LedgerError> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let prepared = self.client.prepare(sql).await?;
        self.statements.insert(sql.to_owned(), prepared.clone());
        Ok(prepared)
    }
}

impl Engine for Postgres {
    fn shared_name(&mut self) -> Result<Option<String>, LedgerError> {
        Ok(Some(self.session()?.1.ledger.clone()))
    }

    fn begin(&mut self, purpose: Purpose) -> Result<(), LedgerError> {
        self.connect()?;
        match purpose {
            Purpose::Write => self.execute(&format!("BEGIN; {LOCK}")),
            Purpose::Read => self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        }
    }

    fn commit(&mut self) -> Result<(), LedgerError> {
        self.execute("COMMIT")
    }

    /// Drops the connection, which may be the cause of the error; the server then rolls back.
    fn roll_back(&mut self) {
        self.session = None;
    }

    fn rows(&mut self, sql: &str, parameters: &[Cell]) -> Result<Vec<Row>, LedgerError> {
        let (runtime, session) = self.session()?;
        let rows = async {
            let statement = session.prepared(sql).await?;
            let found = session.client.query(&statement, &slots(parameters)).await?;
            found.iter().map(cells).collect()
        };
        within(runtime, STATEMENT_TIME, rows)
    }

    fn each(&mut self, sql: &str, parameters: &[Row]) -> Result<(), LedgerError> {
        let (runtime, session) = self.session()?;
        for batch in parameters.chunks(BATCH) {
            let executed = async {
                let statement = &session.prepared(sql).await?;
                let client = &session.client;
                let executed = batch
                    .iter()
                    .map(|row| async move { client.execute(statement, &slots(row)).await });
                try_join_all(executed).await?;
                Ok(())
            };
            within(runtime, STATEMENT_TIME, executed)?;
        }
        Ok(())
    }
}

fn within<T>(
    runtime: &Runtime,
    time: Duration,
    work: impl Future<Output = Result<T, LedgerError>>,
) -> Result<T, LedgerError> {
    let done = runtime.block_on(async { timeout(time, work).await });
    done.unwrap_or(Err(LedgerError::Lost))
}

fn slots(row: &[Cell]) -> Vec<&(dyn ToSql + Sync)> {
    row.iter().map(|cell| cell as _).collect()
}

fn cells(row: &tokio_postgres::Row) -> Result<Row, LedgerError> {
    let columns = row.columns().iter().enumerate();
    let cells = columns.map(|(at, column)| {
        Ok(match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map(Cell::Number),
            _ => row.try_get::<_, Option<String>>(at)?.map(Cell::Text),
        }
        .unwrap_or(Cell::Null))
    });
    cells.collect()
}

impl ToSql for Cell {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Number(number) => number.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Null => Ok(IsNull::Yes),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// True for errors that may be temporary.
pub(super) fn is_outage(error: &tokio_postgres::Error) -> bool {
    let Some(code) = error.code() else {
        let cause = std::error::Error::source(error);
        return error.is_closed() || cause.is_some_and(<dyn std::error::Error>::is::<io::Error>);
    };
    [
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
    ]
    .contains(code)
}
