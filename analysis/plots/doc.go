// Package plots draws a report's figures as PNG and SVG.
//
// It computes no statistic: every mark is a number of an analysis.Report, or a quantile of a histogram it is given. An
// arm has the same colour, dashes and glyph in every figure, by its name; arms with names of their own by their place in the manifest. Latencies of closed
// and of open loops never share an axis. Under every figure stands what the marks are, and of which run.
//
// Inputs are read only while a figure is made and belong to the caller; a Figure is drawn by one goroutine at a time.
package plots
