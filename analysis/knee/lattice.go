package knee

import (
	"math"
	"strconv"
)

// The lattice is the E48 series of preferred numbers, 48 steps a decade and each 4.9 %: 1k, 10k and 100k are on it.
const perDecade = 48

// Spacing is the factor between neighbouring rates.
var Spacing = math.Pow(10, 1.0/perDecade)

// doubling is how many places are nearly a factor of two.
const doubling = 14

// Rate is the rate of a place on the lattice, in operations per second, as a person would write it: three digits, and whole.
func Rate(place int) float64 {
	exact := math.Pow(10, float64(place)/perDecade)
	short, _ := strconv.ParseFloat(strconv.FormatFloat(exact, 'g', 3, 64), 64)
	return math.Round(short)
}

// Place is that of the highest rate of the lattice that is not above rate, which is at least MinRate.
func Place(rate float64) int {
	place := 1 + int(math.Round(math.Log10(rate)*perDecade))
	for Rate(place) > rate {
		place--
	}
	return place
}

// MinRate is the lowest rate that is probed. Below it three digits are too few for the steps to differ.
const MinRate = 100
