//! Finds uses of v1 in a code base.
//!
//! The modules are the stages of a run in their order: `walk` lists the files, `prefilter` drops
//! those without a trace of v1, `facts` reads the rest one by one, `evidence` collects what the
//! files of a project say together, `judge` decides which facts are uses, and `findings` writes
//! them up. `run` puts the stages together. `waves` orders the findings into a migration, `fix`
//! changes code, `traffic` reads access logs.
//!
//! Below all stages: `kind`, `rules` (the data in `rules/`), `knowledge` (what the catalog says
//! of v1), `language`, `names`, `source`.

mod evidence;
mod facts;
mod findings;
pub mod fix;
mod judge;
mod kind;
mod knowledge;
mod language;
mod names;
pub mod plain_file;
mod prefilter;
pub mod rules;
mod run;
mod shim_address;
mod source;
pub mod traffic;
mod walk;
pub mod waves;

pub use facts::syntax::isolated;
pub use findings::{
    Advice, Finding, LossyParameter, Shim, SuppressedBy, Suppression, baseline, owners,
};
pub use kind::{Confidence, Effort, Fixable, Kind, KindStep, Level, Traits, Wave};
pub use run::{Audit, AuditError, Options, Outcome, Unreadable};
pub use shim_address::{Moved, ShimUrl, Variable};
