package policy

import (
	"cmp"
	"strings"
)

// decimal is a number of any length: "-12.50". Floating point would make numbers equal that are not.
type decimal struct {
	negative        bool
	whole, fraction string // digits, without zeros in front of the one and behind the other
}

// parseDecimal reads an integer or decimal number (IAMG reference_policies_elements_condition_operators,
// "Numeric"). Exponents are not read (ours).
func parseDecimal(s string) (decimal, bool) {
	var d decimal
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		d.negative, s = true, rest
	} else {
		s = strings.TrimPrefix(s, "+")
	}
	whole, fraction, point := strings.Cut(s, ".")
	if strings.Trim(whole+fraction, "0123456789") != "" || whole == "" || point && fraction == "" {
		return decimal{}, false
	}
	d.whole, d.fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	d.negative = d.negative && d.whole+d.fraction != ""
	return d, true
}

func (d decimal) compare(other decimal) int {
	if d.negative != other.negative {
		if d.negative {
			return -1
		}
		return 1
	}
	order := cmp.Or(cmp.Compare(len(d.whole), len(other.whole)), cmp.Compare(d.whole, other.whole), cmp.Compare(d.fraction, other.fraction))
	if d.negative {
		return -order
	}
	return order
}
