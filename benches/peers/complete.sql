-- The complete one-sided job in DuckDB: rate a month of a generated project at retail and write what a run writes.
--
-- job.py fills in the words between @; what follows EACH SITE is run once a site.
--
-- As fast as we could make it: nothing sniffed, prefixes of each length joined as integers, names as ENUMs, clock changes as
-- constants, one sort and one write of all sites, the sums taken from the few columns of the written files, and the optimiser
-- kept from reordering joins (it takes the calls for a table of a few rows and would build hash tables of them).
-- It takes on less than a run does: no field is checked, nothing is rejected or explained, nothing is rated twice, exact copies
-- of a record are charged, and nothing is kept of what was read.
SET threads = @THREADS@;
SET preserve_insertion_order = false;
SET disabled_optimizers = 'join_order,build_side_probe_side';
SET enable_progress_bar = false;

-- Reference data. --------------------------------------------------------------------------------------------------

CREATE TEMP TABLE deck AS
SELECT row_number() OVER ()::INTEGER AS rid, prefix, destination,
       (price_peak * 1000000)::BIGINT AS peak, (price_offpeak * 1000000)::BIGINT AS offpeak,
       (price_weekend * 1000000)::BIGINT AS weekend,
       (connection * 10000)::BIGINT AS connection, (minimum * 10000)::BIGINT AS minimum,
       split_part(increments, '/', 1)::BIGINT AS first_s, split_part(increments, '/', 2)::BIGINT AS further_s
FROM read_csv('@PROJECT@/tariffs/retail.csv', header = true, auto_detect = false, columns = {
    'prefix': 'VARCHAR', 'destination': 'VARCHAR', 'class': 'VARCHAR', 'price_peak': 'DECIMAL(18,6)',
    'price_offpeak': 'DECIMAL(18,6)', 'price_weekend': 'DECIMAL(18,6)', 'connection': 'DECIMAL(18,4)',
    'minimum': 'DECIMAL(18,4)', 'increments': 'VARCHAR'});
CREATE TYPE e_destination AS ENUM (SELECT name FROM (SELECT DISTINCT destination AS name FROM deck UNION ALL SELECT 'Internal') ORDER BY name);
CREATE TYPE e_band AS ENUM ('peak', 'offpeak', 'weekend', 'internal');
CREATE TYPE e_disposition AS ENUM ('ANSWERED', 'NO ANSWER', 'BUSY', 'FAILED');
CREATE TEMP TABLE tariff AS SELECT * REPLACE (destination::e_destination AS destination) FROM deck;

-- Each number and its holders; allocations are ranges, their dates are days in London.
CREATE TEMP TABLE held AS
SELECT '0' || (first + step)::VARCHAR AS number, site, holder AS occupier, (extension + step)::VARCHAR AS extension,
       coalesce(timezone('UTC', timezone('Europe/London', valid_from::TIMESTAMP)), '1900-01-01'::TIMESTAMP) AS valid_from,
       coalesce(timezone('UTC', timezone('Europe/London', valid_to::TIMESTAMP)), '2900-01-01'::TIMESTAMP) AS valid_to
FROM (SELECT holder, site, extension, "from" AS valid_from, "until" AS valid_to, first,
             unnest(range(0, last - first + 1)) AS step
      FROM (SELECT *, substr(number, 4)::BIGINT AS first, substr(last_number, 4)::BIGINT AS last
            FROM read_csv('@PROJECT@/directory/allocations.csv', header = false, skip = 1, auto_detect = false, columns = {
                'id': 'VARCHAR', 'holder': 'VARCHAR', 'site': 'VARCHAR', 'number': 'VARCHAR', 'last_number': 'VARCHAR',
                'extension': 'BIGINT', 'from': 'DATE', 'until': 'DATE'})));
CREATE TYPE e_number AS ENUM (SELECT DISTINCT number FROM held ORDER BY 1);
CREATE TYPE e_site AS ENUM (SELECT DISTINCT site FROM held ORDER BY 1);
CREATE TYPE e_occupier AS ENUM (SELECT DISTINCT occupier FROM held ORDER BY 1);
CREATE TYPE e_extension AS ENUM (SELECT DISTINCT extension FROM held ORDER BY 1);
CREATE TEMP TABLE numbers AS
SELECT substr(number, 2)::BIGINT AS pk, number::e_number AS number, site::e_site AS site, occupier::e_occupier AS occupier,
       extension::e_extension AS extension, valid_from, valid_to
FROM held;
-- Clock changes of the year, and what is added to UTC from then on.
CREATE MACRO local_time(utc) AS utc + CASE WHEN utc >= '@SUMMER@'::TIMESTAMP AND utc < '@WINTER@'::TIMESTAMP THEN INTERVAL 1 HOUR ELSE INTERVAL 0 HOUR END;

-- The calls. -------------------------------------------------------------------------------------------------------

COPY (
WITH base AS (
    SELECT uniqueid, start, coalesce(answer, start) AS charged_at, src, dst, billsec, disposition,
           CASE WHEN dst[1] = '+' THEN dst[2:] WHEN starts_with(dst, '00') THEN dst[3:] WHEN dst[1] = '0' THEN '44' || dst[2:]
                WHEN length(dst) <= 5 THEN NULL ELSE dst END AS called
    FROM @CDRS@),
month AS (
    SELECT *, substr(src, 2)::BIGINT AS src_k, CASE WHEN called IS NOT NULL THEN rpad(left(called, 9), 9, '0')::INTEGER END AS k
    FROM base WHERE local_time(charged_at) >= '@FIRST@'::TIMESTAMP AND local_time(charged_at) < '@NEXT@'::TIMESTAMP),
matched AS (
    SELECT c.*, coalesce(p9.rid, p8.rid, p7.rid, p6.rid, p5.rid, p4.rid, p3.rid, p2.rid, p1.rid) AS rid
    FROM month c
    LEFT JOIN (SELECT prefix::INTEGER AS pk, rid FROM tariff WHERE length(prefix) = 9) p9 ON p9.pk = c.k
    LEFT JOIN (SELECT prefix::INTEGER AS pk, rid FROM tariff WHERE length(prefix) = 8) p8 ON p8.pk = c.k // 10
    LEFT JOIN (SELECT prefix::INTEGER AS pk, rid FROM tariff WHERE length(prefix) = 7) p7 ON p7.pk = c.k // 100
    LEFT JOIN (SELECT prefix::INTEGER AS pk, rid FROM tariff WHERE length(prefix) = 6) p6 ON p6.pk = c.k // 1000
    LEFT JOIN (SELECT prefix::INTEGER AS pk, rid FROM tariff WHERE length(prefix) = 5) p5 ON p5.pk = c.k // 10000
    LEFT JOIN (SELECT prefix::INTEGER AS pk, rid FROM tariff WHERE length(prefix) = 4) p4 ON p4.pk = c.k // 100000
    LEFT JOIN (SELECT prefix::INTEGER AS pk, rid FROM tariff WHERE length(prefix) = 3) p3 ON p3.pk = c.k // 1000000
    LEFT JOIN (SELECT prefix::INTEGER AS pk, rid FROM tariff WHERE length(prefix) = 2) p2 ON p2.pk = c.k // 10000000
    LEFT JOIN (SELECT prefix::INTEGER AS pk, rid FROM tariff WHERE length(prefix) = 1) p1 ON p1.pk = c.k // 100000000),
priced AS (
    SELECT m.*, n.site, n.occupier, n.extension, n.number, t.destination, t.connection, t.minimum,
           local_time(charged_at) AS at_l,
           CASE WHEN called IS NULL THEN 'internal'::e_band WHEN isodow(at_l) >= 6 THEN 'weekend'::e_band
                WHEN hour(at_l) BETWEEN 8 AND 17 THEN 'peak'::e_band ELSE 'offpeak'::e_band END AS band,
           CASE band WHEN 'peak' THEN t.peak WHEN 'offpeak' THEN t.offpeak WHEN 'weekend' THEN t.weekend ELSE 0 END AS rate,
           CASE WHEN billsec = 0 OR called IS NULL THEN 0 WHEN billsec <= t.first_s THEN t.first_s
                ELSE t.first_s + ((billsec - t.first_s + t.further_s - 1) // t.further_s) * t.further_s END AS billed
    FROM matched m
    LEFT JOIN tariff t ON t.rid = m.rid
    LEFT JOIN numbers n ON n.pk = m.src_k AND m.charged_at >= n.valid_from AND m.charged_at < n.valid_to)
SELECT uniqueid AS call_id, start AS started_at, charged_at, site, occupier, extension, number, dst AS dialled, called,
       coalesce(destination, 'Internal'::e_destination) AS destination, band, disposition::e_disposition AS disposition,
       billsec AS duration_s, billed AS billed_duration_s, rate AS rate_micro,
       CASE WHEN billed = 0 THEN 0::BIGINT ELSE greatest((rate * billed + 3000) // 6000 + connection, minimum) END AS cost_e4
FROM priced
ORDER BY site, occupier, charged_at
) TO '@OUT@' (@PARQUET@, PARTITION_BY (site), FILENAME_PATTERN 'itemised');

-- The summaries. ---------------------------------------------------------------------------------------------------

CREATE TEMP TABLE extensions AS
SELECT @MONTH@ AS month, site, occupier, extension, count(*) AS calls, sum(duration_s)::BIGINT AS duration_s,
       sum(billed_duration_s)::BIGINT AS billed_duration_s, (sum(cost_e4)::DECIMAL(18,0) / 10000)::DECIMAL(18,4) AS cost
FROM read_parquet('@OUT@/*/itemised*.parquet', hive_partitioning = true) GROUP BY ALL ORDER BY ALL;
CREATE TEMP TABLE destinations AS
SELECT @MONTH@ AS month, site, destination, count(*) AS calls, sum(duration_s)::BIGINT AS duration_s,
       sum(billed_duration_s)::BIGINT AS billed_duration_s, (sum(cost_e4)::DECIMAL(18,0) / 10000)::DECIMAL(18,4) AS cost
FROM read_parquet('@OUT@/*/itemised*.parquet', hive_partitioning = true) GROUP BY ALL ORDER BY ALL;

-- @EACH SITE@
COPY (SELECT * FROM extensions WHERE site = '@SITE@') TO '@OUT@/site=@SITE@/extension-summary.csv' (HEADER);
COPY (SELECT * FROM extensions WHERE site = '@SITE@') TO '@OUT@/site=@SITE@/extension-summary.parquet' (@PARQUET@);
COPY (SELECT * FROM destinations WHERE site = '@SITE@') TO '@OUT@/site=@SITE@/destinations.csv' (HEADER);
COPY (SELECT * FROM destinations WHERE site = '@SITE@') TO '@OUT@/site=@SITE@/destinations.parquet' (@PARQUET@);
