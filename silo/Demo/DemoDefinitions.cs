namespace DataHub.Demo;

/// <summary>What the demo agencies put before they push: agencies, datasets with contracts, feeds and indicators, as JSON of the public interface (design §5).</summary>
internal static class DemoDefinitions
{
    /// <summary>Id of the area system.</summary>
    public const string AreaSystem = "demo";

    /// <summary>By id.</summary>
    public static readonly (string Id, string Body)[] Agencies =
    [
        (DemoFeeds.Environment, """{ "name": { "de": "Umweltamt der Demo-Stadt", "en": "Environment Agency of the demo city" } }"""),
        (DemoFeeds.Water, """{ "name": { "de": "Wasserbetriebe der Demo-Stadt", "en": "Water Works of the demo city" } }"""),
        (DemoFeeds.Traffic, """{ "name": { "de": "Verkehrszentrale der Demo-Stadt", "en": "Traffic Centre of the demo city" } }"""),
        (DemoFeeds.Order, """{ "name": { "de": "Ordnungsamt der Demo-Stadt", "en": "Public Order Office of the demo city" } }"""),
    ];

    /// <summary>By publisher and id.</summary>
    public static readonly (string Agency, string Id, string Body)[] Datasets =
    [
        (DemoFeeds.Environment, "air-quality",
            """
            { "title": { "de": "Luftgüte", "en": "Air quality" }, "publisher": "umweltamt", "kind": "observations",
              "description": { "de": "Messwerte fester und mobiler Stationen; erfunden.", "en": "Readings of fixed and mobile stations; invented." },
              "access": "open", "license": "dl-de/zero-2-0", "areaSystem": "demo",
              "schema": { "primaryKey": ["station", "time"], "fields": [
                { "name": "station", "type": "string", "role": "series", "constraints": { "required": true, "maxLength": 64 } },
                { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
                { "name": "area", "type": "string", "role": "area", "constraints": { "required": true } },
                { "name": "no2", "type": "number", "role": "measure", "unit": "ug/m3", "constraints": { "minimum": 0, "maximum": 2000 } },
                { "name": "pm10", "type": "number", "role": "measure", "unit": "ug/m3", "constraints": { "minimum": 0, "maximum": 2000 } },
                { "name": "o3", "type": "number", "role": "measure", "unit": "ug/m3", "constraints": { "minimum": 0, "maximum": 2000 } } ] } }
            """),
        (DemoFeeds.Environment, "temperature",
            """
            { "title": { "de": "Lufttemperatur", "en": "Air temperature" }, "publisher": "umweltamt", "kind": "observations",
              "description": { "de": "Fühler der Stadt und von Schulen; erfunden.", "en": "Sensors of the city and of schools; invented." },
              "access": "open", "license": "dl-de/zero-2-0", "areaSystem": "demo",
              "schema": { "primaryKey": ["sensor", "time"], "fields": [
                { "name": "sensor", "type": "string", "role": "series", "constraints": { "required": true, "maxLength": 64 } },
                { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
                { "name": "longitude", "type": "number", "role": "longitude", "constraints": { "required": true } },
                { "name": "latitude", "type": "number", "role": "latitude", "constraints": { "required": true } },
                { "name": "temperature", "type": "number", "role": "measure", "unit": "Cel", "constraints": { "required": true, "minimum": -50, "maximum": 60 } } ] } }
            """),
        (DemoFeeds.Water, "rain",
            """
            { "title": { "de": "Niederschlag", "en": "Rain" }, "publisher": "wasserbetriebe", "kind": "observations",
              "description": { "de": "Regenschreiber; erfunden.", "en": "Rain gauges; invented." },
              "access": "open", "license": "dl-de/zero-2-0", "areaSystem": "demo",
              "schema": { "primaryKey": ["gauge", "time"], "fields": [
                { "name": "gauge", "type": "string", "role": "series", "constraints": { "required": true, "maxLength": 64 } },
                { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
                { "name": "longitude", "type": "number", "role": "longitude", "constraints": { "required": true } },
                { "name": "latitude", "type": "number", "role": "latitude", "constraints": { "required": true } },
                { "name": "rain", "type": "number", "role": "measure", "unit": "mm", "constraints": { "required": true, "minimum": 0, "maximum": 200 } } ] } }
            """),
        (DemoFeeds.Water, "water-levels",
            """
            { "title": { "de": "Wasserstände", "en": "Water levels" }, "publisher": "wasserbetriebe", "kind": "observations",
              "description": { "de": "Pegel; erfunden.", "en": "River gauges; invented." },
              "access": "open", "license": "dl-de/zero-2-0", "areaSystem": "demo",
              "schema": { "primaryKey": ["gauge", "time"], "fields": [
                { "name": "gauge", "type": "string", "role": "series", "constraints": { "required": true, "maxLength": 64 } },
                { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
                { "name": "area", "type": "string", "role": "area", "constraints": { "required": true } },
                { "name": "level", "type": "number", "role": "measure", "unit": "cm", "constraints": { "required": true, "minimum": -500, "maximum": 2000 } } ] } }
            """),
        (DemoFeeds.Traffic, "traffic",
            """
            { "title": { "de": "Straßenverkehr", "en": "Road traffic" }, "publisher": "verkehrszentrale", "kind": "observations",
              "description": { "de": "Zählstellen: Fahrzeuge und mittlere Geschwindigkeit seit der letzten Meldung; erfunden.", "en": "Detectors: vehicles and mean speed since the last message; invented." },
              "access": "open", "license": "dl-de/zero-2-0", "areaSystem": "demo",
              "schema": { "primaryKey": ["detector", "time"], "fields": [
                { "name": "detector", "type": "string", "role": "series", "constraints": { "required": true, "maxLength": 64 } },
                { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
                { "name": "area", "type": "string", "role": "area", "constraints": { "required": true } },
                { "name": "vehicles", "type": "integer", "role": "measure", "unit": "{vehicle}", "constraints": { "required": true, "minimum": 0, "maximum": 100000 } },
                { "name": "speed", "type": "number", "role": "measure", "unit": "km/h", "constraints": { "minimum": 0, "maximum": 300 } } ] } }
            """),
        (DemoFeeds.Order, "reports",
            """
            { "title": { "de": "Meldungen aus der Bürgerschaft", "en": "Citizens' reports" }, "publisher": "ordnungsamt", "kind": "records",
              "description": { "de": "Mängel im öffentlichen Raum, von der Meldung bis zur Erledigung; erfunden.", "en": "Defects in public space, from report to repair; invented." },
              "access": "open", "license": "dl-de/zero-2-0", "areaSystem": "demo",
              "schema": { "primaryKey": ["id"], "fields": [
                { "name": "id", "type": "string", "constraints": { "required": true, "maxLength": 64 } },
                { "name": "opened", "type": "datetime", "role": "opened", "constraints": { "required": true } },
                { "name": "closed", "type": "datetime", "role": "closed" },
                { "name": "status", "type": "string", "role": "dimension", "constraints": { "required": true, "enum": ["open", "in-progress", "done"] } },
                { "name": "category", "type": "string", "role": "dimension", "constraints": { "required": true,
                  "enum": ["strassenschaden", "abfall", "beleuchtung", "gruenflaeche", "laerm", "verkehrszeichen"] } },
                { "name": "longitude", "type": "number", "role": "longitude", "constraints": { "required": true } },
                { "name": "latitude", "type": "number", "role": "latitude", "constraints": { "required": true } },
                { "name": "open", "type": "integer", "role": "measure", "unit": "{report}", "constraints": { "required": true, "minimum": 0, "maximum": 1 } },
                { "name": "hours", "type": "number", "role": "measure", "unit": "h", "constraints": { "minimum": 0 } },
                { "name": "revision", "type": "integer", "role": "revision", "constraints": { "required": true, "minimum": 1 } } ] } }
            """),
    ];

    /// <summary>By publisher, dataset and id.</summary>
    public static readonly (string Agency, string Dataset, string Id, string Body)[] Feeds =
    [
        (DemoFeeds.Environment, "air-quality", "default", """{ "title": { "de": "Festes Messnetz", "en": "Fixed stations" }, "rhythm": "PT5M" }"""),
        (DemoFeeds.Environment, "air-quality", "mobil", """{ "title": { "de": "Messfahrzeuge", "en": "Mobile stations" }, "rhythm": "PT5M" }"""),
        (DemoFeeds.Environment, "temperature", "default", """{ "title": { "de": "Städtische Fühler", "en": "City sensors" }, "rhythm": "PT5M" }"""),
        (DemoFeeds.Environment, "temperature", "schulen", """{ "title": { "de": "Fühler an Schulen", "en": "Sensors at schools" }, "rhythm": "PT15M" }"""),
        (DemoFeeds.Water, "rain", "default", """{ "title": { "de": "Regenschreiber", "en": "Rain gauges" }, "rhythm": "PT10M" }"""),
        (DemoFeeds.Water, "water-levels", "default", """{ "title": { "de": "Pegel", "en": "River gauges" }, "rhythm": "PT15M" }"""),
        (DemoFeeds.Traffic, "traffic", "default", """{ "title": { "de": "Zählstellen", "en": "Detectors" }, "rhythm": "PT5M" }"""),
        (DemoFeeds.Order, "reports", "default", """{ "title": { "de": "Meldeportal", "en": "Report portal" }, "rhythm": "PT6H" }"""),
    ];

    /// <summary>By publisher and id.</summary>
    public static readonly (string Agency, string Id, string Body)[] Indicators =
    [
        Indicator(DemoFeeds.Environment, "no2-hourly", "Stickstoffdioxid, Stundenmittel", "Nitrogen dioxide, hourly mean", "air-quality", "mean", "no2", "PT1H", 1, "ug/m3"),
        Indicator(DemoFeeds.Environment, "pm10-daily", "Feinstaub PM10, Tagesmittel", "Fine dust PM10, daily mean", "air-quality", "mean", "pm10", "P1D", 1, "ug/m3", target: 50),
        Indicator(DemoFeeds.Environment, "ozone-max", "Ozon, höchster Wert des Tages", "Ozone, highest value of the day", "air-quality", "max", "o3", "P1D", 1, "ug/m3"),
        Indicator(DemoFeeds.Environment, "temperature-hourly", "Lufttemperatur, Stundenmittel", "Air temperature, hourly mean", "temperature", "mean", "temperature", "PT1H", 1, "Cel"),
        Indicator(DemoFeeds.Environment, "temperature-max", "Höchste Temperatur des Tages", "Highest temperature of the day", "temperature", "max", "temperature", "P1D", 1, "Cel"),
        Indicator(DemoFeeds.Environment, "temperature-min", "Tiefste Temperatur des Tages", "Lowest temperature of the day", "temperature", "min", "temperature", "P1D", 1, "Cel"),
        Indicator(DemoFeeds.Water, "rain-hourly", "Niederschlag je Stunde, Summe aller Regenschreiber", "Rain per hour, sum of all gauges", "rain", "sum", "rain", "PT1H", 1, "mm"),
        Indicator(DemoFeeds.Water, "rain-daily", "Niederschlag je Tag, Summe aller Regenschreiber", "Rain per day, sum of all gauges", "rain", "sum", "rain", "P1D", 1, "mm"),
        Indicator(DemoFeeds.Water, "rain-24h", "Niederschlag der letzten 24 Stunden, Summe aller Regenschreiber", "Rain of the last 24 hours, sum of all gauges", "rain", "sum", "rain", "PT1H", 1, "mm", sliding: "PT24H"),
        Indicator(DemoFeeds.Water, "water-level", "Wasserstand, zuletzt gemessen", "Water level, last reading", "water-levels", "last", "level", "PT1H", 0, "cm"),
        Indicator(DemoFeeds.Traffic, "traffic-hourly", "Fahrzeuge je Stunde an allen Zählstellen", "Vehicles per hour at all detectors", "traffic", "sum", "vehicles", "PT1H", 0, null),
        Indicator(DemoFeeds.Traffic, "traffic-speed", "Mittlere Geschwindigkeit, Stundenmittel", "Mean speed, hourly", "traffic", "mean", "speed", "PT1H", 0, "km/h"),
        Indicator(DemoFeeds.Order, "reports-daily", "Neue Meldungen je Tag", "New reports per day", "reports", "count", null, "P1D", 0, null),
        Indicator(DemoFeeds.Order, "reports-by-category", "Neue Meldungen je Tag und Art", "New reports per day and kind", "reports", "count", null, "P1D", 0, null, "category"),
        Indicator(DemoFeeds.Order, "reports-open", "Offene Meldungen am Ende der Stunde", "Open reports at the end of the hour", "reports", "open", null, "PT1H", 0, null),
        Indicator(DemoFeeds.Order, "reports-hours", "Stunden bis zur Erledigung, Tagesmittel", "Hours until done, daily mean", "reports", "mean", "hours", "P1D", 1, "h"),
    ];

    /// <summary>Derived from the others, by publisher and id.</summary>
    public static readonly (string Agency, string Id, string Body)[] Formulas =
    [
        (DemoFeeds.Order, "reports-per-10000",
            """
            { "title": { "de": "Neue Meldungen je Tag und 10.000 Einwohner", "en": "New reports per day and 10,000 inhabitants" }, "dataset": "reports",
              "formula": "\"reports-daily\" / population * 10000", "decimals": 1, "access": "open" }
            """),
    ];

    private static (string, string, string) Indicator(
        string agency, string id, string german, string english, string dataset, string function, string? field, string window, int decimals, string? unit, string? dimension = null, string? sliding = null, double? target = null) =>
        (agency, id, System.Text.Json.JsonSerializer.Serialize(
            new
            {
                title = new { de = german, en = english },
                dataset,
                measure = new { function, field },
                window,
                groupBy = dimension is null ? ["area"] : new[] { "area", dimension },
                decimals,
                unit,
                sliding,
                target = target is null ? null : new { value = target, direction = "below" },
                access = "open",
            },
            WireJson.Options));
}
