package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// Operation is one line of a history. Times are nanoseconds of one monotonic clock that all processes share.
type Operation struct {
	Process string `json:"process"`
	// Tokens are compared within a group only.
	Group string `json:"group"`
	Op    string `json:"op"`
	Key   string `json:"key"`
	Token *int64 `json:"token"`
	Value *int64 `json:"value"`
	Call  *int64 `json:"call"`
	// Nil where the outcome is unknown.
	Return *int64 `json:"return"`
	OK     *bool  `json:"ok"`
	Error  string `json:"error"`
	// Of whoever holds a lease: until when it may rely on it if it hears nothing more.
	ValidUntil *int64 `json:"validUntil"`
	// Of an acquire: when its process saw itself waiting in the queue.
	QueuedAt *int64 `json:"queuedAt"`
	// A lead that tells of a term once more.
	Renewal bool `json:"renewal"`
}

// place is a key within a group: what locks, elections and registers are told apart by.
type place struct{ group, key string }

func (o Operation) place() place { return place{o.Group, o.Key} }

// succeeded says that the operation is known to have taken effect.
func (o Operation) succeeded() bool { return o.Return != nil && o.OK != nil && *o.OK }

const lineBytesMax = 1 << 20

func readHistory(file string) ([]Operation, []Violation, error) {
	input, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer input.Close()
	var operations []Operation
	var malformed []Violation
	lines := bufio.NewScanner(input)
	lines.Buffer(make([]byte, 0, 1<<16), lineBytesMax)
	for number := 1; lines.Scan(); number++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var operation Operation
		if err := json.Unmarshal(lines.Bytes(), &operation); err != nil {
			malformed = append(malformed, Violation{"format", "", fmt.Sprintf("line %d is no operation: %v", number, err)})
			continue
		}
		if fault := faultIn(operation); fault != "" {
			malformed = append(malformed, Violation{"format", operation.Key, fmt.Sprintf("line %d: %s", number, fault)})
			continue
		}
		operations = append(operations, operation)
	}
	return operations, malformed, lines.Err()
}

// faultIn says what makes an operation one that nobody can have recorded, so that a broken recorder does not pass for a good group.
func faultIn(o Operation) string {
	switch o.Op {
	case "acquire", "release", "write", "read", "lost", "lead", "unlead":
	default:
		return fmt.Sprintf("the operation %q is not known", o.Op)
	}
	isGrant := o.Op == "acquire" || o.Op == "lead"
	switch {
	case o.Process == "" || o.Key == "":
		return "process or key is missing"
	case o.Call == nil:
		return "call is missing"
	case o.Return != nil && *o.Return < *o.Call:
		return "it returned before it was called"
	case o.Return != nil && o.OK == nil:
		return "it returned without an outcome"
	case o.Return == nil && o.OK != nil:
		return "it has an outcome but never returned"
	case o.Token == nil && (!isGrant && o.Op != "read" || o.succeeded() && isGrant):
		return "token is missing"
	case o.Token != nil && *o.Token <= 0:
		return "the token is not positive"
	case o.Op == "write" && o.Value == nil:
		return "value is missing"
	}
	return ""
}
