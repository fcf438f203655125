// Package scenarios says what a run measures: which arms, under which load, on which points of a sweep, in how many
// blocks. It reads scenario files (YAML), checks them strictly, expands their sweeps and hands out plain data.
//
// It runs nothing and knows no topology, server or load generator: the names of topologies are handed in ([Names]),
// and starting, loading and measuring is the business of package runner. Whether one topology can use a setting (a
// transport, a number of workers) is known only to that topology, and checked by whoever starts it.
//
// # From a file to points
//
// A file goes through three steps. The YAML becomes a tree of values, each with the place to blame for it (tree.go).
// The tree becomes a document, whose keys are all in the schema (document.go, schema.go). The document is resolved:
// defaults are filled in, lists are expanded to points, and every point and arm must pass the rules (resolve.go,
// rules.go). A change on the command line edits the document and resolves it again, so it meets the same checks as
// the file.
//
// Every error is one line that begins with file:line, or with the flag to blame, and ends with what would be right.
//
// # Ownership
//
// A [Scenario] is the caller's; nothing in this package keeps or changes it. Defaults are constants of the schema:
// the same file resolves to the same [Scenario.Canonical] on every machine.
package scenarios
