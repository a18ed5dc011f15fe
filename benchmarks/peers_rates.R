# Times R packages on the table that bench_rates.py writes: Rscript peers_rates.R series.csv
# Packages that are not installed are named and left out.
path <- commandArgs(trailingOnly = TRUE)[1]
series <- read.csv(path, colClasses = c(province = "character", sex = "character", cause = "character", age_group = "character"))
seconds <- function(call) unname(system.time(call)["elapsed"])
say <- function(name, value) cat(name, ": ", value, "\n", sep = "")

if (requireNamespace("PHEindicatormethods", quietly = TRUE) && requireNamespace("dplyr", quietly = TRUE)) {
  grouped <- dplyr::group_by(series, province, year, sex, cause)
  took <- seconds(PHEindicatormethods::calculate_dsr(grouped, x = events, n = person_years, stdpop = standard_population))
  say(paste("PHEindicatormethods", packageVersion("PHEindicatormethods")), sprintf("%.2f s", took))
} else say("PHEindicatormethods", "not installed")

if (requireNamespace("epitools", quietly = TRUE)) {
  parts <- split(series, interaction(series$province, series$year, series$sex, series$cause, drop = TRUE))
  one <- function(part) epitools::ageadjust.direct(count = part$events, pop = part$person_years, stdpop = part$standard_population)
  took <- seconds(lapply(parts, one))
  say(paste("epitools", packageVersion("epitools")), sprintf("%.2f s", took))
} else say("epitools", "not installed")
