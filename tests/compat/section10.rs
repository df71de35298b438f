//! What ChartMuseum's users suffer from.

mod load;
mod siblings;
mod traversal;
mod words;
