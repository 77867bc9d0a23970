//! Who held what, when: occupiers, contracts, voice services, sites, numbers and their dated allocations.
