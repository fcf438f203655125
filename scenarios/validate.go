package scenarios

import "fmt"

// Validate checks a resolved scenario, such as one read back from Canonical, against the rules that a file must meet.
func (s *Scenario) Validate(names Names) error {
	if f := first(s.checkHead(), s.Run.check()); f != nil {
		return fmt.Errorf("scenario %s: %w", s.Name, f)
	}
	if n := len(s.Points); n < 1 || n > MaxPoints {
		return fmt.Errorf("scenario %s: %d points; want 1 to %d", s.Name, n, MaxPoints)
	}
	labels := map[string]bool{}
	for i := range s.Points {
		p := &s.Points[i]
		if f := first(p.check(names), p.checkParts()); f != nil {
			return fmt.Errorf("scenario %s: point %q: %w", s.Name, p.Label, f)
		}
		if labels[p.Label] || p.Label != Label(p.Params) {
			return fmt.Errorf("scenario %s: point %q is there twice or has another's label", s.Name, p.Label)
		}
		labels[p.Label] = true
	}
	if f := s.checkSLO(); f != nil {
		return fmt.Errorf("scenario %s: %w", s.Name, f)
	}
	if n := len(s.Arms); n < 1 || n > MaxArms {
		return fmt.Errorf("scenario %s: %d arms; want 1 to %d", s.Name, n, MaxArms)
	}
	if f := s.checkSampling(); f != nil {
		return fmt.Errorf("scenario %s: %w", s.Name, f)
	}
	arms := map[string]bool{}
	for i := range s.Arms {
		a := &s.Arms[i]
		if f := a.check(names); f != nil {
			return fmt.Errorf("scenario %s: arm %q: %w", s.Name, a.Name, f)
		}
		if arms[a.Name] {
			return fmt.Errorf("scenario %s: two arms are named %q", s.Name, a.Name)
		}
		arms[a.Name] = true
	}
	return nil
}
