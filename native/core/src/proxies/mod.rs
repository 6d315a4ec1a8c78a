//! The proxies: their URLs and faults, the pool, which key leaves through which, and how load is spread.
//! Opening connections is `forward`'s part.

pub mod assign;
pub mod balance;
pub mod exit;
pub mod fault;
pub mod list;
pub mod pool;
pub mod rotating;
pub mod url;
