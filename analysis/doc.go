// Package analysis says what a run's measurements mean: intervals, comparisons, verdicts, and the tables that show
// them.
//
// The model, in steps:
//
//  1. A block is one fresh process of every arm. It gives one value per metric and arm: sums over the block's valid
//     slices, or a quantile of its merged histogram. The block is the unit of replication, n counts blocks; slices
//     sharpen a value and are never counted.
//  2. An absolute figure is the median across blocks with an order-statistic interval, which assumes nothing of the
//     distribution.
//  3. A difference between two arms is paired by block: the mean of the blocks' log-ratios, with a bootstrap interval.
//     Two runs share no blocks; their difference is unpaired and says so.
//  4. Every row has a verdict. A figure that cannot be defended is absent with a reason, never a number.
//
// It is not a gate (no thresholds on differences), not a reader of run directories, and does not draw. All functions
// are pure: they read what they are given, keep nothing of it, share nothing, and give the same bytes for the same
// input. Any number of goroutines may call them at once.
//
// Formulae name their source where they stand. Durations are nanoseconds, memory is bytes, rates are per second.
package analysis
