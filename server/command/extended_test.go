package command

import "testing"

func TestExtended(t *testing.T) {
	check := func(a, b, want string) {
		t.Helper()
		x, y := newExtended(), newExtended()
		got := "refused"
		if x.parse([]byte(a)) && y.parse([]byte(b)) {
			if got = "overflow"; x.add(y) {
				got = string(x.text())
			}
		}
		if got != want {
			t.Errorf("%s + %s: got %s, want %s", a, b, got, want)
		}
	}
	check("0.1", "0.2", "0.3")
	check("10.50", "0.1", "10.6")
	check("5.0e3", "2.0e2", "5200")
	check("3", "1.000000000000000005", "4.00000000000000001")
	check("1", "-1", "0")
	check("-0", "-0", "0")
	check("-1e-30", "0", "0")
	check("0x1.8p3", "+.5", "12.5")
	check("0x10", "5.", "21")
	check("1e400", "-1e400", "0")
	check("18446744073709551615", "0", "18446744073709551615") // 64 bits of significand hold it
	check("18446744073709551616", "1", "18446744073709551616")
	check("36893488147419103233", "0", "36893488147419103232")
	check("2.018033e-4951", "1", "1") // more than half of the smallest number
	check("1.8e-4951", "1", "refused")
	check("inf", "1", "overflow")
	check("1.1e4932", "1.1e4932", "overflow")
	for _, wrong := range []string{"", " 1", "1 ", "1.2.3", "e5", "1e", "1e+", ".", "-", "+-1", "nan", "0x", "1e5000", "1e-5000",
		"1e99999999999999999999", "1e-99999999999999999999", "0x1p", "1_000", "1\x00"} {
		check(wrong, "1", "refused")
		check("1", wrong, "refused")
	}
	check("0e99999999999999999999", "1", "1")
}
