package scenarios

import "fmt"

// resolveArms reads the list of arms.
func resolveArms(doc *document, names Names) ([]Arm, error) {
	const like = "as in arms: [shared, multi-direct]"
	v := doc.arms
	switch {
	case v == nil:
		return nil, fmt.Errorf("%s: arms: is missing; name what to compare, %s", doc.at, like)
	case v.kind == null:
		return nil, v.errorf("is empty; name what to compare, %s", like)
	case v.kind != list:
		return nil, v.errorf("wants a list, %s, not %s", like, v.kind)
	case len(v.list) == 0:
		return nil, v.errorf("the list is empty; name what to compare, %s", like)
	case len(v.list) > MaxArms:
		return nil, v.errorf("%d arms are too many; use at most %d", len(v.list), MaxArms)
	}
	var arms []Arm
	at := map[string]string{}
	for _, x := range v.list {
		a, err := resolveArm(doc, x, names)
		if err != nil {
			return nil, err
		}
		if was, ok := at[a.Name]; ok {
			return nil, fmt.Errorf("%s: two arms are named %q, the other at %s; give one another name", x.at,
				a.Name, was)
		}
		at[a.Name] = x.at
		arms = append(arms, a)
	}
	return arms, nil
}

// resolveArm reads one arm: a table, or a word that stands for {topology: word}.
func resolveArm(doc *document, v value, names Names) (Arm, error) {
	rows := v.rows
	switch v.kind {
	case list:
		return Arm{}, v.errorf("an arm is a word or a table, not a list")
	case scalar, null:
		v.name = "topology"
		rows = []entry{{"topology", v.at, v}}
	}
	written := map[string]*entry{}
	for i := range rows {
		if err := wantKey(armList, rows[i]); err != nil {
			return Arm{}, err
		}
		written[rows[i].key] = &rows[i]
	}
	var d draft
	f := newFiller(doc, nil)
	for _, k := range keysOf(armList) {
		if err := f.set(&d, k, written[k.name]); err != nil {
			return Arm{}, err
		}
		f.homes[k.name] = v.at
	}
	if d.arm.Name == "" {
		d.arm.Name = d.arm.Topology + d.arm.Reference // one of them is empty, or the rules refuse the arm
	}
	if broken := d.arm.check(names); broken != nil {
		return Arm{}, f.blame(broken)
	}
	return d.arm, nil
}
