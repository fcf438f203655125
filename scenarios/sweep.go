package scenarios

import (
	"fmt"
	"slices"
	"strings"
)

// axis is one swept key with its values.
type axis struct {
	key    key
	values []value
	norms  []string // values normalised
}

// resolvePoints crosses the sweeps of a document, the first of the file varying slowest.
func resolvePoints(doc *document, names Names, ps parts) ([]Point, error) {
	axes, err := findAxes(doc)
	if err != nil {
		return nil, err
	}
	var points []Point
	for index := make([]int, len(axes)); ; {
		p, err := resolveParts(doc, names, axes, index, ps)
		if err != nil {
			return nil, err
		}
		points = append(points, p)
		if !next(index, axes) {
			return points, nil
		}
	}
}

// next counts index up, the last axis first; false when all cells have been.
func next(index []int, axes []axis) bool {
	for i := len(index) - 1; i >= 0; i-- {
		if index[i]++; index[i] < len(axes[i].values) {
			return true
		}
		index[i] = 0
	}
	return false
}

// findAxes lists the swept keys in the order of the file. There are at most MaxPoints cells.
func findAxes(doc *document) ([]axis, error) {
	var axes []axis
	cells := 1
	for _, s := range doc.sections {
		if s.name == top || s.name == runLength {
			continue
		}
		for _, row := range s.rows {
			k := keyOf(s.name, row.key)
			if row.val.kind != list || !k.sweep {
				continue
			}
			a, err := newAxis(k, row.val)
			if err != nil {
				return nil, err
			}
			if len(a.values) > MaxPoints/cells {
				return nil, row.val.errorf("makes a sweep of %d points; use at most %d", cells*len(a.values), MaxPoints)
			}
			cells *= len(a.values)
			axes = append(axes, a)
		}
	}
	return axes, nil
}

// newAxis reads the values of a sweep once, to normalise them and to find one that is there twice.
func newAxis(k key, v value) (axis, error) {
	a := axis{key: k, values: v.list}
	if len(v.list) == 0 {
		return a, v.errorf("the list is empty; a sweep needs at least one value")
	}
	if len(v.list) > MaxPoints {
		return a, v.errorf("makes a sweep of %d points; use at most %d", len(v.list), MaxPoints)
	}
	for _, x := range v.list {
		var scratch draft
		norm, err := k.set(&scratch, x)
		if err != nil {
			return a, err
		}
		if slices.Contains(a.norms, norm) {
			return a, x.errorf("%s is in the sweep twice", quote(x.text))
		}
		a.norms = append(a.norms, norm)
	}
	return a, nil
}

// resolveCell resolves a point with the keys of overlays in place of its own.
func resolveCell(doc *document, names Names, axes []axis, index []int, over ...overlay) (Point, error) {
	var d draft
	doc, said := doc.with(over)
	f := newFiller(doc, axes)
	f.chosen = map[string]value{}
	for i, a := range axes {
		if !said[a.key.name] {
			f.chosen[a.key.name] = a.values[index[i]]
		}
		d.point.Params = append(d.point.Params, Param{a.key.name, a.norms[index[i]]})
	}
	for _, section := range []string{workload, load, settings} {
		if err := f.fill(&d, section); err != nil {
			return d.point, err
		}
	}
	written := func(key string) bool { return doc.find(workload, key) != nil }
	if broken := d.point.Workload.keepTrace(written); broken != nil {
		return d.point, f.blame(broken)
	}
	d.point.Workload.complete(written)
	d.point.Label = Label(d.point.Params)
	if broken := d.point.check(names); broken != nil {
		return d.point, f.blame(broken)
	}
	return d.point, nil
}

// Label is how a point is called.
func Label(params []Param) string {
	parts := make([]string, len(params))
	for i, p := range params {
		parts[i] = fmt.Sprintf("%s=%s", p.Name, p.Value)
	}
	return strings.Join(parts, ",")
}
