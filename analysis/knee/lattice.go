package knee

import (
	"math"
	"strconv"
)

// PerDoubling is how many steps of the lattice make a factor of two: one is 4.4 %.
const PerDoubling = 16

// Rate is the rate of a place on the lattice, in operations per second, as a person would write it: three digits, and whole.
func Rate(place int) float64 {
	exact := math.Exp2(float64(place) / PerDoubling)
	short, _ := strconv.ParseFloat(strconv.FormatFloat(exact, 'g', 3, 64), 64)
	return math.Round(short)
}

// Place is that of the highest rate of the lattice that is not above rate, which is at least MinRate.
func Place(rate float64) int {
	place := int(math.Round(math.Log2(rate) * PerDoubling))
	for Rate(place) > rate {
		place--
	}
	return place
}

// MinRate is the lowest rate that is probed. Below it three digits are too few for the steps to differ.
const MinRate = 100
