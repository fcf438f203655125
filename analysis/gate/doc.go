// Package gate judges whether a server has become slower: two builds of it, alive side by side and visited in turn in
// short slices, and what may be said of their difference.
//
// The model, in steps:
//
//  1. Slices are paired: one of head and one of base in the same round of the same block. A pair counts or does not by what
//     happened to it (steal, errors, a window cut short), never by its result.
//  2. A block is one fresh process of every arm. Its pairs give one log-ratio for each metric, signed so that more is worse.
//     The block is the unit of replication: n counts blocks.
//  3. At each planned look (6, 10, 16 and 24 blocks) a metric's n log-ratios are put to a one-sided t test, whose level is
//     that look's share of the whole (0.1, 0.2, 0.3, 0.4), shared by Holm's rule between all metrics declared beforehand; an
//     exact sign-flip test must agree. Certain is not enough, the mean must be material too: half of δ, the change that the
//     gate has promised to find. Pass is earned: a slowdown of δ is excluded.
//  4. What is called better or worse is measured again from zero, with new processes and other layouts of the code; only what is said twice stands.
//  5. The null control, base a second time, goes through the same. Where base differs from itself no difference is believed.
//  6. What head fails in and base does not (error replies, wrong values, lost keys, timeouts, no replies at all) no metric shows. In
//     four blocks it is regressed, in two it cannot pass.
//
// A verdict is a function of the plan and of the recorded slices alone: it can be judged again later, to the byte. The package
// starts nothing and reads no clock; its functions are pure and may be called from any number of goroutines.
package gate
