// Command porcupine judges the history of a run: what processes called, what came back and when, and nothing else.
//
// It prints one JSON object: {"ok", "operations", "illegal", "unknown", "violations": [{"rule", "key", "text"}]}. The exit code
// is 0 whenever a verdict was reached, and 2 where the history could not be read.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Verdict is what is printed.
type Verdict struct {
	OK         bool        `json:"ok"`
	Operations int         `json:"operations"`
	Illegal    int         `json:"illegal"`
	Unknown    int         `json:"unknown"`
	Violations []Violation `json:"violations"`
}

// Violation is one broken promise, or one line that no honest recorder would write.
type Violation struct {
	Rule string `json:"rule"`
	Key  string `json:"key"`
	Text string `json:"text"`
}

// A key is a few hundred operations of five processes; one that takes longer than this is reported as unknown, which fails the run.
const timeoutPerKey = 2 * time.Minute

func main() {
	if len(os.Args) != 2 {
		fail("usage: porcupine HISTORY")
	}
	operations, malformed, err := readHistory(os.Args[1])
	if err != nil {
		fail(err.Error())
	}
	if err := json.NewEncoder(os.Stdout).Encode(judge(operations, malformed)); err != nil {
		fail(err.Error())
	}
}

func judge(operations []Operation, malformed []Violation) Verdict {
	verdict := Verdict{Operations: len(operations), Violations: []Violation{}}
	add := func(violations []Violation) { verdict.Violations = append(verdict.Violations, violations...) }
	add(malformed)
	if len(operations) == 0 {
		add([]Violation{{Rule: "empty", Text: "a history without operations shows nothing"}})
	}
	leases, strays := leasesIn(operations)
	add(strays)
	add(overlaps(leases))
	add(refusedHolders(operations, leases))
	add(repeatedTokens(leases))
	add(fallingTokens(leases))
	add(overtakers(leases))
	for _, register := range registersIn(operations) {
		switch result, violation := register.check(timeoutPerKey); result {
		case isIllegal:
			verdict.Illegal++
			add([]Violation{violation})
		case isUnknown:
			verdict.Unknown++
			add([]Violation{violation})
		}
	}
	verdict.OK = len(verdict.Violations) == 0
	return verdict
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, text)
	os.Exit(2)
}
