// Package knee finds the highest rate at which a server still meets a bound on its response time.
//
// It is pure: it says which rate to probe next and what a probe has shown, and knows neither servers nor clocks. Rates lie on a
// lattice, so that the probes of different servers and of different blocks meet at the same rates.
//
// A probe has so much time and no more: what it has not shown by then stays undecided. A search that finds nothing at its lowest rate
// ends there.
//
// One search is of one server process. It doubles the rate until the bound is missed, halves the gap between what met it and what
// missed it, and then probes both edges of the gap again, coming from an overload: a server that is not its old self after one
// has another knee from above. A probe that shows neither stays within the interval. What a search returns is therefore
// no number but [Lo, Hi]: the highest rate that met the bound from both sides with none below it that missed, and the lowest rate that missed it
// from both sides with none above it that met.
package knee
