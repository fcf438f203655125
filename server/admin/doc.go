// Package admin serves the pages of whoever runs a server, on a port of their own:
//
//	/metrics       figures in the Prometheus text format
//	/healthz       200 while the process serves pages at all
//	/readyz        200 while the server takes requests, 503 from the moment it drains
//	/debug/pprof/  Go's profiles
//
// Profiles and figures tell much, and profiling costs: the port is off unless asked for, and an address that other machines can reach
// is refused unless that is asked for too. With a password set, all but the two probes need it, as Basic of any user or Bearer.
//
// The package knows no topology: it is given [Figures] when a page is asked for.
package admin
