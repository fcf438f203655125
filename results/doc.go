// Package results holds a run's directory: its schema, the fingerprint of the machine and of the code, latency
// histograms, and the exports made from them.
//
// One directory is one run and the only source of truth for it:
//
//	manifest.json                     everything that is not a measurement; replaced whole, never half written
//	trials.jsonl                      a line per Slice, also the void ones
//	blocks.jsonl                      a line per Trial: one arm in one block
//	counters.jsonl                    whatever the runner samples beside the slices
//	latency/<point>/<arm>.hlog        response times, one HdrHistogram interval per block
//	latency/<point>/<arm>.service.hlog  service times, where they differ (open loop)
//	bench.txt                         Go benchmark format, a line per Trial; of a gate with a verdict, what that stands on
//
// Everything but the manifest is appended to, one write(2) per record, so a process that is killed loses at most the
// record in flight. Readers tolerate that one torn record at the end of a file and say so in Run.Warnings; damage
// anywhere else is an error, because it was not caused by a crash.
//
// The package computes sums and reads quantiles off histograms; whether a difference means anything is the business
// of package analysis. It starts nothing, drives no load, and imports no other package of this module.
//
// A Writer owns the directory it created until Finish; a Run owns what Open read and is not tied to the files after.
package results
