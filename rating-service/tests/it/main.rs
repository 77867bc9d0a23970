//! The `rating` command as a user meets it: started as a process, judged by what it prints and by its exit code.

mod check;
mod hostile;
mod house;
mod run;
mod words;
