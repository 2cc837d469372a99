package queue

func CheckInvariants[K comparable](q *Queue[K]) error { return nil }
