// Package page writes runs as one HTML file that needs nothing else: no network, no fonts, no library. It reads well on paper
// and on a phone.
//
// It computes nothing: every figure, number and verdict is analysis's, gate's or plots'. Whatever a run's files say is escaped. A
// policy in the page itself forbids it to fetch anything.
package page
