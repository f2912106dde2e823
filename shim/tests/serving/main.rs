//! The shim over real HTTP, in front of a scripted v2.

mod connections;
mod errors;
mod ids;
mod lists;
mod running;
mod trouble;
mod wrappings;
mod writes;
