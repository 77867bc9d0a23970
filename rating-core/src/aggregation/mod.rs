//! Fourth floor: rated calls to sums.
