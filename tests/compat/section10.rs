//! What ChartMuseum's users suffer from.

mod load;
