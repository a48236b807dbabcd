namespace DataHub;

/// <summary>What bodies of the public interface look like: one story (a station's nitrogen dioxide) through all routes, for <c>/openapi/v1.json</c>.</summary>
internal static class PublicExamples
{
    private const string Json = "application/json", Csv = "text/csv", GeoJson = "application/geo+json", NdJson = "application/x-ndjson", Parquet = "application/vnd.apache.parquet";

    private const string Agency = """{ "id": "senumvk", "name": { "de": "Senatsverwaltung für Umwelt", "en": "Department for the Environment" } }""";
    private const string Key = """{ "id": "b4Xk29Qz", "key": "dh_senumvk.b4Xk29Qz.…", "role": "push", "label": "Messnetz", "created": "2026-11-23T07:30:00Z" }""";
    private const string Feed = """{ "id": "messnetz", "title": { "de": "Messnetz", "en": "Stations" }, "rhythm": "PT15M" }""";
    private const string Areas = "id,parent,name,level,population\n01,,Mitte,0,397134\n0110,01,Zentrum,1,\n";

    private const string AreaFeatures =
        """
        { "type": "FeatureCollection", "features": [ { "type": "Feature",
          "properties": { "id": "01", "parent": null, "name": "Mitte", "level": 0, "population": 397134 },
          "geometry": { "type": "Polygon", "coordinates": [ [ [13.3, 52.5], [13.5, 52.5], [13.5, 52.6], [13.3, 52.6], [13.3, 52.5] ] ] } }, { "type": "Feature",
          "properties": { "id": "0110", "parent": "01", "name": "Zentrum", "level": 1 }, "geometry": null } ] }
        """;

    private const string AreaPut = """{ "system": "demo", "version": 1, "areas": 2, "levels": 2, "withGeometry": 1, "changed": true, "repaired": [], "repairedCount": 0, "merged": [] }""";

    private const string Dataset =
        """
        { "id": "air-quality", "title": { "de": "Luftgüte", "en": "Air quality" }, "publisher": "senumvk", "kind": "observations", "access": "open", "state": "AVAILABLE",
          "license": "dl-de/by-2-0", "areaSystem": "demo", "areaVersion": 1, "partitions": 1,
          "schema": { "version": 1, "primaryKey": ["station", "time"], "missingValues": [""], "maxFuture": "P1D", "fields": [
            { "name": "station", "type": "string", "role": "series", "constraints": { "required": true, "maxLength": 64 } },
            { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
            { "name": "area", "type": "string", "role": "area" },
            { "name": "no2", "type": "number", "role": "measure", "unit": "ug/m3", "constraints": { "minimum": 0, "maximum": 2000 } } ] },
          "feeds": [ { "id": "default" } ], "indicators": ["no2-hourly"], "issued": "2026-11-23T07:30:00Z", "modified": "2026-11-23T07:30:00Z" }
        """;

    private const string Indicator =
        """
        { "id": "no2-hourly", "definition": 1, "title": { "de": "Stickstoffdioxid, Stundenmittel" }, "description": null, "dataset": "air-quality", "publisher": "senumvk",
          "measure": { "function": "mean", "field": "no2" }, "window": "PT1H", "timeZone": "Europe/Berlin", "groupBy": ["area"], "decimals": 1, "unit": "ug/m3",
          "access": "open", "license": "dl-de/by-2-0", "disclosure": { "minimumCount": 0 }, "areaSystem": "demo", "areaVersion": 1, "pending": null }
        """;

    private const string FormulaIndicator =
        """
        { "id": "accidents-per-inhabitant", "definition": 2, "title": { "de": "Unfälle je 1.000 Einwohner" }, "description": null, "dataset": "accidents", "publisher": "senumvk",
          "measure": null, "window": "P1M", "timeZone": "Europe/Berlin", "groupBy": ["area"], "decimals": 2, "unit": "1/1000",
          "access": "open", "license": "dl-de/by-2-0", "disclosure": { "minimumCount": 0 }, "formula": "accidents / population * 1000",
          "inputs": [ { "indicator": "accidents", "definition": 1 } ], "areaSystem": "demo", "areaVersion": 1, "pending": null }
        """;

    private const string Group =
        """
        { "id": "senumvk/auswertung", "name": { "de": "Auswertung", "en": "Analysis" },
          "members": [ { "person": "oidc:8f3c0a52", "by": "key:senumvk.b4Xk29Qz", "at": "2026-11-27T07:30:00Z", "why": "Neue Kollegin", "until": null } ] }
        """;

    private const string Dataspace =
        """
        { "id": "umwelt", "title": { "de": "Umwelt", "en": "Environment" }, "description": { "de": "Was Messnetze liefern." }, "owner": "senumvk",
          "issued": "2026-11-27T07:30:00Z", "modified": "2026-11-27T07:30:00Z", "datasets": [ "air-quality" ] }
        """;

    private const string Quota =
        """
        { "agency": "senumvk", "set": { "rowsPerSecond": 5000, "bytesPerDay": null, "datasets": null }, "holds": { "rowsPerSecond": 5000, "bytesPerDay": null, "datasets": 200 },
          "used": { "rowsToday": 1204331, "bytesToday": 96346480, "datasets": 14 }, "standing": [ { "name": "agency-rows", "quota": 50000, "window": 10, "remaining": 49800, "reset": 1 } ] }
        """;

    private const string Grant =
        """
        { "id": "01JDCB4Z6H8W4T0V9R5XK2M3NA", "group": "senumvk/auswertung", "role": "reader", "dataset": null, "by": "key:senumvk.b4Xk29Qz",
          "at": "2026-11-27T07:30:00Z", "why": "Jahresbericht 2026", "until": "2027-03-31T22:00:00Z", "revoked": null }
        """;

    private const string RevokedGrant =
        """
        { "id": "01JDCB4Z6H8W4T0V9R5XK2M3NA", "group": "senumvk/auswertung", "role": "reader", "dataset": null, "by": "key:senumvk.b4Xk29Qz",
          "at": "2026-11-27T07:30:00Z", "why": "Jahresbericht 2026", "until": "2027-03-31T22:00:00Z",
          "revoked": { "by": "key:senumvk.b4Xk29Qz", "at": "2027-01-15T09:00:00Z", "why": "Bericht ist fertig" } }
        """;

    private const string Release =
        """
        { "dataset": "air-quality", "state": "AVAILABLE", "ready": "2026-11-27T07:30:00Z", "released": "2026-11-27T07:30:00Z", "fourEyes": false,
          "checklist": [ { "code": "license", "required": true, "fulfilled": true, "text": "Lizenz oder Nutzungsbedingung" }, { "code": "description", "required": false, "fulfilled": false, "text": "Beschreibung" } ] }
        """;

    private const string AgreementEffect = """
        { "agreement": "luft-pankow", "derived": "frozen", "indicators": [ { "id": "no2-hourly", "title": { "de": "Stickstoffdioxid, Stundenmittel" }, "notGiven": null } ], "readers": [ { "reader": "key:bezirk-pankow.b4Xk29Qz", "purpose": "bauleitplanung", "operation": "values", "object": "indicator:no2-hourly", "last": "2026-11-27", "requests": 1440, "rows": 17280 } ], "datasets": [ { "dataset": "klimakarte", "text": "Mittel je Block aus no2", "since": "2026-11-02T09:00:00Z", "state": "noted", "settled": null, "erasure": null, "keys": null, "trouble": null, "feeds": [ "default" ], "indicators": [ "klimakarte-mittel" ] } ] }
        """;

    private const string AgreementTerms =
        """
        { "title": { "de": "Luftgüte für die Bauleitplanung", "en": "Air quality for land-use planning" }, "provider": "senumvk", "recipient": "bezirk-pankow", "dataset": "air-quality",
          "purposes": [ { "id": "planning", "text": { "de": "Bauleitplanung", "en": "Land-use planning" } } ], "forbiddenPurposes": [ { "id": "advertising", "text": { "de": "Werbung", "en": "Advertising" } } ],
          "legalBasis": "§ 12 EGovG Bln", "data": { "fields": null, "from": "2026-01-01T00:00:00Z", "areas": [ "01" ], "filter": "no2 > 0", "finestLevel": 1, "smallestGroup": 5 },
          "delivery": { "form": "both", "rhythm": "PT1H", "rowsPerDay": 100000 },
          "use": { "groups": [ "bezirk-pankow/planung" ], "networks": [ "192.0.2.0/24" ], "onwardTransfer": "withConsent", "publication": "aggregatesOnly" },
          "duties": [ { "id": "report", "kind": "report", "text": { "de": "Bericht über die Nutzung", "en": "Report on the use" }, "every": "P3M", "missed": "suspension" } ],
          "term": { "from": "2027-01-01T00:00:00Z", "until": "2029-01-01T00:00:00Z", "notice": "P1M" }, "fourEyes": { "provider": true, "recipient": true } }
        """;

    private const string Agreement =
        """
        { "id": "luft-pankow", "state": "OFFERED", "version": 1, "termsHash": "5d41…", "events": 2, "head": "9a0b…", "since": null, "ends": "2029-01-01T00:00:00Z", "sides": [ "provider" ], "next": [ "change", "withdraw", "acknowledge-charter" ],
          "terms": 
        """ + AgreementTerms + """
        , "signatures": [], "acknowledged": [], "charter": [ { "clause": "transparency", "fulfilled": true, "text": "Die Rechtsgrundlage ist genannt (legalBasis)." } ],
          "duties": [ { "duty": "report", "next": null, "missedSince": null, "fulfilledAt": null, "evidence": null } ], "suspendedBy": null, "reason": null }
        """;

    private const string AgreementEvent =
        """
        { "number": 2, "at": "2026-11-27T08:00:00Z", "who": "key:senumvk.b4Xk29Qz", "side": "provider", "act": "offer", "version": 1, "reason": null, "duty": null, "due": null, "evidence": null, "charter": null, "previous": "71c2…", "hash": "9a0b…",
          "content": "{\"v\":1,\"agreement\":\"luft-pankow\",\"number\":2,\"at\":\"2026-11-27T08:00:00.0000000Z\",\"who\":\"key:senumvk.b4Xk29Qz\",\"side\":\"provider\",\"act\":\"offer\",\"version\":1,\"detail\":{}}" }
        """;

    private const string EvidenceId = """
        "id": "01M85TE81WJVE9C37DP5NKMBKC", "at": "2026-11-27T09:12:00Z"
        """;

    private const string EvidenceKey = """{ "station": "mc010", "time": "2026-11-23T08:00:00Z" }""";

    private const string AgreementPolicy =
        """
        { "@context": "http://www.w3.org/ns/odrl.jsonld", "@type": "Agreement", "uid": "urn:datahub:agreement:luft-pankow:1", "profile": "urn:datahub:odrl", "assigner": "urn:datahub:agency:senumvk", "assignee": "urn:datahub:agency:bezirk-pankow",
          "target": "urn:datahub:dataset:air-quality", "permission": [ { "action": "use", "constraint": [ { "leftOperand": "purpose", "operator": "isAnyOf", "rightOperand": [ { "@id": "urn:datahub:purpose:planning" } ] } ] } ],
          "prohibition": [ { "action": "use", "constraint": [ { "leftOperand": "purpose", "operator": "eq", "rightOperand": { "@id": "urn:datahub:purpose:advertising" } } ] } ],
          "obligation": [ { "action": "inform", "constraint": [ { "leftOperand": "timeInterval", "operator": "eq", "rightOperand": { "@value": "P3M", "@type": "xsd:duration" } } ], "uid": "urn:datahub:agreement:luft-pankow:duty:report" } ] }
        """;

    private const string ValuesCsv = "area,from,to,value,count,state\n0110,2026-11-23T08:00:00Z,2026-11-23T09:00:00Z,23.4,1,ok\n";
    private const string ValuesLine = """{"area":"0110","from":"2026-11-23T08:00:00Z","to":"2026-11-23T09:00:00Z","value":23.4,"count":1,"state":"ok"}""" + "\n";
    private const string ValueFeatures =
        """
        { "type": "FeatureCollection", "name": "no2-hourly", "indicator": "no2-hourly", "title": { "de": "Stickstoffdioxid, Stundenmittel" }, "publisher": "senumvk",
          "license": "dl-de/by-2-0", "unit": "ug/m3", "definition": 3, "version": 184, "watermark": "w1.kw", "asOf": "2026-11-23T08:01:02Z", "timeZone": "Europe/Berlin",
          "areaSystem": "demo", "areaVersion": 1, "describedBy": "/api/v1/indicators/no2-hourly", "features": [ { "type": "Feature",
          "geometry": { "type": "Polygon", "coordinates": [ [ [13.3, 52.5], [13.5, 52.5], [13.5, 52.6], [13.3, 52.6], [13.3, 52.5] ] ] },
          "properties": { "area": "01", "areaName": "Mitte", "from": "2026-11-23T08:00:00Z", "to": "2026-11-23T09:00:00Z", "value": 23.4, "count": 12, "state": "ok" } } ], "next": null }
        """;

    private const string RowFeatures =
        """
        { "type": "FeatureCollection", "name": "air-quality", "dataset": "air-quality", "title": { "de": "Luftgüte", "en": "Air quality" }, "publisher": "senumvk",
          "license": "dl-de/by-2-0", "contract": 1, "timeZone": "Europe/Berlin", "areaSystem": "demo", "areaVersion": 1, "describedBy": "/api/v1/datasets/air-quality",
          "features": [ { "type": "Feature", "geometry": { "type": "Polygon", "coordinates": [ [ [13.3, 52.5], [13.5, 52.5], [13.5, 52.6], [13.3, 52.6], [13.3, 52.5] ] ] },
          "properties": { "station": "mc010", "time": "2026-11-23T08:00:00Z", "area": "0110", "no2": 23.4, "@area": "0110" } } ], "next": null }
        """;

    private const string UploadedFile =
        """
        { "id": "01M8FTC3GJVRJGJ0AEF3S654AS", "name": "luftgüte-2026.csv", "agency": "senumvk", "dataspace": null, "length": 54, "offset": 54, "complete": true,
          "sha256": "8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92", "created": "2026-11-28T07:30:00Z", "expires": "2027-02-26T07:30:00Z" }
        """;

    private const string JobDefinition =
        """
        { "title": { "de": "Luftgüte übernehmen", "en": "Take air quality over" }, "agency": "senumvk", "steps": [
          { "id": "zeilen", "read": { "dataset": "air-quality" } },
          { "id": "pruefung", "check": { "input": "zeilen", "rules": [ { "column": "no2", "minimum": 0 }, { "unique": ["station", "time"] }, { "contract": "air-quality", "severity": "warn" } ] } },
          { "id": "mittel", "transform": { "inputs": ["zeilen"], "sql": "SELECT station, avg(no2) AS no2 FROM zeilen GROUP BY station" } } ] }
        """;

    private const string Job =
        """
        { "id": "luft", "version": 1, "current": 1, "definition": 
        """ + JobDefinition + """, "versions": [ { "version": 1, "at": "2026-11-28T07:30:00Z", "by": "key:senumvk.b4Xk29Qz" } ] }""";

    private const string Backfill = """
        { "id": "01M8FTC3GJVRJGJ0AEF3S654AT", "state": "running", "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z", "version": 1, "by": "key:senumvk.b4Xk29Qz", "periods": 31, "done": 4, "reached": "2026-01-04T23:00:00Z", "run": "01M8FTC3GJVRJGJ0AEF3S654AS", "cause": null }
        """;

    private const string Run =
        """
        { "id": "01M8FTC3GJVRJGJ0AEF3S654AS", "job": "luft", "version": 1, "state": "running", "ordered": "2026-11-28T07:31:00Z", "by": "key:senumvk.b4Xk29Qz", "started": "2026-11-28T07:31:00Z", "ended": null,
          "cause": null, "repeats": null, "engine": "DuckDB 1.5.6",
          "inputs": [ { "step": "zeilen", "file": null, "name": null, "sha256": null, "dataset": "air-quality", "watermark": "w1.k8QQ…", "contract": 1, "areaVersion": 1, "url": null } ], "keys": [], "areas": [],
          "steps": [ { "id": "zeilen", "kind": "read", "state": "running", "title": null, "attempts": 1, "started": "2026-11-28T07:31:00Z", "ended": null, "rowsIn": 10000, "rowsOut": 10000, "progress": null, "secondsLeft": null,
            "columns": null, "sha256": null, "receipt": null, "watermark": null, "cause": null, "again": null, "notes": [] } ] }
        """;

    private const string Uses =
        """
        { "dataset": "air-quality", "uses": [
          { "kind": "indicator", "id": "no2-hourly", "level": 0, "dataset": "air-quality", "title": { "de": "Stickstoffdioxid, Stundenmittel" }, "page": "/?indicator=no2-hourly" },
          { "kind": "run", "id": "01M8FTC3GJVRJGJ0AEF3S654AS", "level": 0, "dataset": "air-quality", "title": { "de": "Luftgüte übernehmen" }, "page": "/runs/01M8FTC3GJVRJGJ0AEF3S654AS", "state": "complete", "job": "luft",
            "ended": "2026-11-28T07:31:02Z", "watermark": "w1.k8QQ…", "wrote": [ { "step": "schreiben", "dataset": "air-daily", "receipt": "01M85TE81WJVE9C37DP5NKMBKC", "watermark": "w1.k8QR…" } ] } ], "complete": true, "next": null }
        """;

    private const string PseudonymKey =
        """
        { "purpose": "ausleihe", "versions": [ { "version": 1, "created": "2026-11-28T07:30:00Z", "by": "key:senumvk.b4Xk29Qz", "destroyed": "2026-11-29T07:30:00Z", "destroyedBy": "key:senumvk.b4Xk29Qz", "reason": "Zweck erreicht, Löschkonzept Nr. 7" } ] }
        """;

    private const string PullKey =
        """
        { "name": "nachbar", "host": "hub.nachbarstadt.example", "version": 1, "set": "2026-11-28T07:30:00Z", "by": "key:senumvk.b4Xk29Qz" }
        """;

    private const string ParquetFile = "PAR1 … PAR1";
    private const string Row = """{ "station": "mc010", "time": "2026-11-23T08:00:00Z", "area": "0110", "no2": 23.4 }""";
    private const string RowsCsv = "station,time,area,no2\nmc010,2026-11-23T08:00:00Z,0110,23.4\n";

    private const string RowFault = """{ "row": 2, "field": "no2", "code": "above-maximum", "detail": "2000 is the maximum", "expected": "2000", "value": "9999" }""";

    private const string Receipt =
        """
        "receipt": "01M85TE81WJVE9C37DP5NKMBKC", "received": 2, "accepted": 1, "duplicate": 0, "quarantined": 1, "watermark": "w1.k8QQ…", "errors": [ 
        """ + RowFault + " ]";

    /// <summary>By method and route: bodies that are sent (status null) and answered, by content type.</summary>
    public static readonly ILookup<string, Body> All = new (string Route, int? Status, string ContentType, string Text)[]
    {
        ("GET /api/v1/agencies", 200, Json, $$"""{ "agencies": [ {{Agency}} ], "next": null }"""),
        ("GET /api/v1/agencies/{agency}", 200, Json, Agency),
        ("PUT /api/v1/agencies/{agency}", 200, Json, Agency),
        ("PUT /api/v1/agencies/{agency}", 201, Json, Agency),
        ("GET /api/v1/agencies/{agency}/keys", 200, Json, """{ "keys": [ { "id": "b4Xk29Qz", "role": "push", "label": "Messnetz", "created": "2026-11-23T07:30:00Z", "revoked": null, "scope": { "feeds": [ "air-quality/default" ] }, "expires": "2027-12-31T23:00:00Z", "lastUsed": "2026-11-27T09:12:00Z", "replacedBy": null } ], "next": null }"""),
        ("POST /api/v1/agencies/{agency}/keys", 201, Json, Key),
        ("POST /api/v1/agencies/{agency}/keys/{id}/rotation", 201, Json, Key),
        ("GET /api/v1/agencies/{agency}/pseudonym-keys", 200, Json, $$"""{ "keys": [ {{PseudonymKey}} ], "next": null }"""),
        ("POST /api/v1/agencies/{agency}/pseudonym-keys/{purpose}/rotation", 201, Json, PseudonymKey),
        ("POST /api/v1/agencies/{agency}/pseudonym-keys/{purpose}/versions/{version}/destruction", null, Json, """{ "reason": "Zweck erreicht, Löschkonzept Nr. 7" }"""),
        ("POST /api/v1/agencies/{agency}/pseudonym-keys/{purpose}/versions/{version}/destruction", 200, Json, PseudonymKey),
        ("GET /api/v1/agencies/{agency}/pull-keys", 200, Json, $$"""{ "keys": [ {{PullKey}} ], "next": null }"""),
        ("PUT /api/v1/agencies/{agency}/pull-keys/{key}", null, Json, """{ "host": "hub.nachbarstadt.example", "key": "dh_nachbarstadt_wie_er_dort_gegeben_wurde" }"""),
        ("PUT /api/v1/agencies/{agency}/pull-keys/{key}", 200, Json, PullKey),
        ("PUT /api/v1/agencies/{agency}/pull-keys/{key}", 201, Json, PullKey),
        ("GET /api/v1/agencies/{agency}/pull-keys/{key}", 200, Json, PullKey),
        ("DELETE /api/v1/agencies/{agency}/pull-keys/{key}", 200, Json, PullKey),
        ("GET /api/v1/agencies/{agency}/quota", 200, Json, Quota),
        ("PUT /api/v1/agencies/{agency}/quota", 200, Json, Quota),
        ("GET /api/v1/agencies/{agency}/groups", 200, Json, """{ "groups": [ { "id": "senumvk/auswertung", "name": { "de": "Auswertung", "en": "Analysis" }, "members": 1 } ], "next": null }"""),
        ("GET /api/v1/agencies/{agency}/groups/{group}", 200, Json, Group),
        ("PUT /api/v1/agencies/{agency}/groups/{group}", 200, Json, Group),
        ("PUT /api/v1/agencies/{agency}/groups/{group}", 201, Json, Group),
        ("PUT /api/v1/agencies/{agency}/groups/{group}/members/{person}", 200, Json, Group),
        ("PUT /api/v1/agencies/{agency}/groups/{group}/members/{person}", 201, Json, Group),
        ("GET /api/v1/files", 200, Json, $$"""{ "files": [ {{UploadedFile}} ], "next": null }"""),
        ("POST /api/v1/files", null, Csv, "station;time;no2\nmc010;2026-11-23T08:00:00Z;23,4\n"),
        ("POST /api/v1/files", 201, Json, UploadedFile),
        ("GET /api/v1/files/{file}", 200, Json, UploadedFile),
        ("PATCH /api/v1/files/{file}", null, "application/offset+octet-stream", "mc010;2026-11-23T09:00:00Z;21,0\n"),
        ("GET /api/v1/jobs", 200, Json, """{ "jobs": [ { "id": "luft", "title": { "de": "Luftgüte übernehmen", "en": "Take air quality over" }, "agency": "senumvk", "dataspace": null, "version": 1 } ], "next": null }"""),
        ("PUT /api/v1/jobs/{job}", null, Json, JobDefinition),
        ("PUT /api/v1/jobs/{job}", 200, Json, Job),
        ("PUT /api/v1/jobs/{job}", 201, Json, Job),
        ("GET /api/v1/jobs/{job}", 200, Json, Job),
        ("GET /api/v1/jobs/{job}", 200, Pipelines.JobYaml.Type, Pipelines.JobYaml.Example),
        ("PUT /api/v1/jobs/{job}", null, Pipelines.JobYaml.Type, Pipelines.JobYaml.Example),
        ("GET /api/v1/jobs/{job}/backfill", 200, Json, Backfill),
        ("POST /api/v1/jobs/{job}/backfill", null, Json, """{ "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "schedule": { "cron": "0 0 * * *", "timeZone": "Europe/Berlin" } }"""),
        ("POST /api/v1/jobs/{job}/backfill", 200, Json, """{ "id": null, "state": null, "from": null, "to": null, "version": null, "by": null, "periods": 1, "done": null, "reached": null, "run": null, "cause": null, "runs": [ { "from": "2026-01-01T23:00:00Z", "to": "2026-01-02T23:00:00Z" } ] }"""),
        ("POST /api/v1/jobs/{job}/backfill", 202, Json, Backfill),
        ("POST /api/v1/jobs/{job}/backfill/acts", null, Json, """{ "act": "cancel" }"""),
        ("POST /api/v1/jobs/{job}/backfill/acts", 200, Json, Backfill),
        ("GET /api/v1/jobs/{job}/diff", 200, Json, """{ "id": "luft", "from": 1, "to": 2, "changes": [ { "path": "steps[mittel].transform.sql", "before": "SELECT 1", "after": "SELECT 2" } ] }"""),
        ("POST /api/v1/jobs/{job}/shadow", null, Json, """{ "version": null }"""),
        ("POST /api/v1/jobs/{job}/shadow", 200, Json, Job),
        ("GET /api/v1/jobs/{job}/triggers", 200, Json, """{ "triggers": [ { "id": "nachts", "next": "2026-11-29T01:30:00Z", "run": "01M8FTC3GJVRJGJ0AEF3S654AS", "at": "2026-11-28T01:30:01Z", "refusal": null } ] }"""),
        ("POST /api/v1/jobs/{job}/promotion", null, Json, """{ "version": 1 }"""),
        ("POST /api/v1/jobs/{job}/promotion", 200, Json, Job),
        ("POST /api/v1/jobs/{job}/runs", null, Json, """{ "version": 1 }"""),
        ("POST /api/v1/jobs/{job}/runs", 202, Json, Run),
        ("GET /api/v1/jobs/{job}/runs", 200, Json, """{ "runs": [ { "id": "01M8FTC3GJVRJGJ0AEF3S654AS", "state": "complete", "version": 1, "at": "2026-11-28T07:31:00Z", "by": "key:senumvk.b4Xk29Qz", "ended": "2026-11-28T07:31:02Z" } ], "next": null }"""),
        ("GET /api/v1/runs/{run}", 200, Json, Run),
        ("POST /api/v1/runs/{run}/acts", null, Json, """{ "act": "abort", "reason": "Falsche Datei" }"""),
        ("POST /api/v1/runs/{run}/acts", 200, Json, Run),
        ("GET /api/v1/runs/{run}/differences", 200, Json, """{ "with": "01M8FTC3GJVRJGJ0AEF3S654AQ", "step": "mittel", "key": [ "station" ], "same": 15, "changed": 1, "removed": 0, "added": 0, "columnsRemoved": [], "columnsAdded": [], "columns": [ { "column": "no2", "cells": 1 } ], "cells": [ { "row": "mc010", "column": "no2", "before": "23.4", "after": "23.5" } ] }"""),
        ("GET /api/v1/runs/{run}/lineage", 200, Json, """{ "events": [ { "eventType": "START", "eventTime": "2026-11-28T07:31:00.000Z", "run": { "runId": "01a23cd6-0e70-4e25-2804-ae78cf95192a", "facets": {} }, "job": { "namespace": "datahub", "name": "luft", "facets": {} }, "inputs": [ { "namespace": "datahub", "name": "dataset/air-quality", "facets": {}, "inputFacets": {} } ], "outputs": [], "producer": "urn:datahub", "schemaURL": "…/2-0-2/OpenLineage.json#/$defs/RunEvent" } ] }"""),
        ("GET /api/v1/runs/{run}/steps/{step}/format", 200, Json, """{ "file": { "type": "xlsx", "headerRow": 3, "columns": [ { "header": "Zweigstelle", "type": "string" }, { "header": "Tag", "type": "date" }, { "header": "Ausleihen", "type": "integer" } ], "maxFaults": 0, "sheet": "Zahlen" } }"""),
        ("GET /api/v1/runs/{run}/steps/{step}/table", 200, Csv, "no2,station\n23.4,mc010\n"),
        ("POST /api/v1/lineage", null, Json, """{ "eventType": "COMPLETE", "eventTime": "2026-11-28T07:31:00Z", "run": { "runId": "01a23cd6-0e70-7e25-a804-ae78cf95192a" }, "job": { "namespace": "senumvk.airflow", "name": "messnetz.laden" }, "inputs": [], "outputs": [ { "namespace": "datahub", "name": "dataset/air-quality" } ], "producer": "urn:airflow", "schemaURL": "urn:openlineage:2-0-2:RunEvent" }"""),
        ("POST /api/v1/lineage", 200, Json, """{ "received": 1, "new": 1 }"""),
        ("GET /api/v1/lineage/jobs/{namespace}/{name}/runs", 200, Json, """{ "namespace": "senumvk.airflow", "name": "messnetz.laden", "runs": [ { "run": "01a23cd6-0e70-7e25-a804-ae78cf95192a", "state": "complete", "at": "2026-11-28T07:31:00Z", "events": [ { "eventType": "COMPLETE", "eventTime": "2026-11-28T07:31:00Z", "run": { "runId": "01a23cd6-0e70-7e25-a804-ae78cf95192a" }, "job": { "namespace": "senumvk.airflow", "name": "messnetz.laden" }, "inputs": [], "outputs": [ { "namespace": "datahub", "name": "dataset/air-quality" } ], "producer": "urn:airflow", "schemaURL": "urn:openlineage:2-0-2:RunEvent" } ] } ], "next": null }"""),
        ("GET /api/v1/datasets/{dataset}/staleness", 200, Json, """{ "dataset": "air-quality", "at": "2026-11-28T09:00:00Z", "stale": true, "reasons": [ { "code": "run-failed", "stale": true, "text": "Der letzte Lauf des Jobs „luft“ scheiterte am 28.11.2026, 08:31:02 Uhr: Schritt „pruefung“: In 1 Zeile fehlt „no2“.", "since": "2026-11-28T07:31:02Z", "job": "luft", "run": "01M8FTC3GJVRJGJ0AEF3S654AS" } ] }"""),
        ("GET /api/v1/datasets/{dataset}/uses", 200, Json, Uses),
        ("GET /api/v1/receipts/{receipt}/uses", 200, Json, Uses),
        ("GET /api/v1/runs/{run}/steps/{step}/table", 200, NdJson, "{\"no2\":23.4,\"station\":\"mc010\"}\n"),
        ("GET /api/v1/runs/{run}/steps/{step}/table", 200, GeoJson, """{ "type": "FeatureCollection", "name": "01M85TE81WJVE9C37DP5NKMBKC-mittel", "step": "mittel", "publisher": "senumvk", "run": "01M85TE81WJVE9C37DP5NKMBKC", "rows": 1, "features": [ { "type": "Feature", "geometry": { "type": "Point", "coordinates": [13.35, 52.54] }, "properties": { "lat": 52.54, "lon": 13.35, "no2": 23.4 } } ], "next": null }"""),
        ("GET /api/v1/runs/{run}/steps/{step}/table", 200, Parquet, ParquetFile),
        ("GET /api/v1/runs/{run}/steps/{step}/table", 200, AnswerXlsx.ContentType, "PK …"),
        ("GET /api/v1/runs/{run}/steps/{step}/table/metadata", 200, "application/csvm+json", """{ "@context": "http://www.w3.org/ns/csvw", "url": "/api/v1/runs/01M85TE81WJVE9C37DP5NKMBKC/steps/mittel/table?format=csv", "dc:title": [ { "@value": "Luftgüte übernehmen: Tabelle „mittel“", "@language": "de" } ], "dc:identifier": "mittel", "dc:publisher": "senumvk", "rdfs:seeAlso": "/api/v1/runs/01M85TE81WJVE9C37DP5NKMBKC/steps/mittel/table/metadata", "notes": [ { "run": "01M85TE81WJVE9C37DP5NKMBKC", "job": "luft", "jobVersion": 1, "engine": "DuckDB v1.5.6", "ordered": "2026-11-28T07:31:00Z", "rows": 1, "sha256": "5d41402abc4b2a76b9719d911017c592ae2b1f6d6e6f4c1f12020c923adc6c92", "inputs": [ { "step": "zeilen", "file": null, "name": null, "sha256": null, "dataset": "air-quality", "watermark": "w1.AQ", "contract": 1, "areaVersion": 1 } ] } ], "dialect": { "delimiter": ",", "encoding": "utf-8", "header": true }, "tableSchema": { "columns": [ { "titles": "no2", "datatype": "double" }, { "titles": "station", "datatype": "string" } ] } }"""),
        ("GET /api/v1/dataspaces", 200, Json, """{ "dataspaces": [ { "id": "umwelt", "title": { "de": "Umwelt", "en": "Environment" }, "owner": "senumvk" } ], "next": null }"""),
        ("GET /api/v1/dataspaces/{dataspace}", 200, Json, Dataspace),
        ("PUT /api/v1/dataspaces/{dataspace}", 200, Json, Dataspace),
        ("PUT /api/v1/dataspaces/{dataspace}", 201, Json, Dataspace),
        ("GET /api/v1/dataspaces/{dataspace}/grants", 200, Json, $$"""{ "grants": [ {{Grant}} ], "next": null }"""),
        ("POST /api/v1/dataspaces/{dataspace}/grants", 200, Json, Grant),
        ("POST /api/v1/dataspaces/{dataspace}/grants", 201, Json, Grant),
        ("POST /api/v1/dataspaces/{dataspace}/grants/{grant}/revocation", 200, Json, RevokedGrant),
        ("GET /api/v1/datasets/{dataset}/release", 200, Json, Release),
        ("POST /api/v1/datasets/{dataset}/release", 200, Json, Release),
        ("GET /api/v1/agreements", 200, Json, """{ "agreements": [ { "id": "luft-pankow", "state": "OFFERED", "title": { "de": "Luftgüte für die Bauleitplanung" }, "provider": "senumvk", "recipient": "bezirk-pankow", "dataset": "air-quality", "version": 1, "ends": "2029-01-01T00:00:00Z" } ], "next": null }"""),
        ("PUT /api/v1/agreements/{agreement}", null, Json, AgreementTerms),
        ("PUT /api/v1/agreements/{agreement}", 200, Json, Agreement),
        ("PUT /api/v1/agreements/{agreement}", 201, Json, Agreement),
        ("GET /api/v1/agreements/{agreement}", 200, Json, Agreement),
        ("POST /api/v1/agreements/{agreement}/acts", null, Json, """{ "act": "offer", "version": 1 }"""),
        ("POST /api/v1/agreements/{agreement}/acts", 200, Json, Agreement),
        ("PUT /api/v1/agreements/{agreement}/derived/{dataset}", null, Json, """{ "text": "Mittel je Block aus no2" }"""),
        ("PUT /api/v1/agreements/{agreement}/derived/{dataset}", 200, Json, AgreementEffect),
        ("GET /api/v1/agreements/{agreement}/effect", 200, Json, AgreementEffect),
        ("GET /api/v1/agreements/{agreement}/usage", 200, Json, """{ "agreement": "luft-pankow", "month": "2026-11", "entries": [ { "day": "2026-11-27", "version": 1, "reader": "key:bezirk-pankow.b4Xk29Qz", "purpose": "bauleitplanung", "operation": "values", "object": "indicator:no2-hourly", "requests": 1440, "rows": 17280, "upperBound": false } ], "open": [] }"""),
        ("GET /api/v1/agreements/{agreement}/events", 200, Json, $$"""{ "events": [ {{AgreementEvent}} ], "next": null }"""),
        ("GET /api/v1/agreements/{agreement}/text", 200, "text/html", "<!doctype html>\n<html lang=\"de\">…</html>\n"),
        ("GET /api/v1/agreements/{agreement}/text", 200, "text/plain", "Luftgüte für die Bauleitplanung\n===============================\n\nParteien und Gegenstand\n  - Bereitstellende Seite: senumvk\n"),
        ("GET /api/v1/agreements/{agreement}/odrl", 200, "application/ld+json", AgreementPolicy),
        ("POST /api/v1/datasets/{dataset}/evidence", null, Json, $$"""{ "key": {{EvidenceKey}}, "legalNorm": "§ 5 EGovG", "procedure": "Sondernutzung Messstelle", "fileNumber": "SN-2026-117", "requester": "Bezirksamt Pankow, Straßen- und Grünflächenamt" }"""),
        ("POST /api/v1/datasets/{dataset}/evidence", 200, Json, $$"""{ {{EvidenceId}}, "dataset": "air-quality", "found": true, "record": { "station": "mc010", "no2": 23.4 }, "content": "{\"station\":\"mc010\",\"no2\":23.4}", "salt": "9f0c…", "hash": "51a8…", "agreement": "nachweis-pankow", "version": 1, "purpose": "sondernutzung", "watermark": "w1.k8QQ…" }"""),
        ("GET /api/v1/datasets/{dataset}/evidence", 200, Json, $$"""{ "dataset": "air-quality", "day": "2026-11-27", "entries": [ { {{EvidenceId}}, "agency": "bezirk-pankow", "by": "key:bezirk-pankow.b4Xk29Qz", "requester": "Straßen- und Grünflächenamt", "legalNorm": "§ 5 EGovG", "purpose": "sondernutzung", "procedure": "Sondernutzung Messstelle", "fileNumber": "SN-2026-117", "agreement": "nachweis-pankow", "version": 1, "found": true, "fields": [ "station", "no2" ], "watermark": "w1.k8QQ…", "hash": "51a8…", "recordHash": "c07e…" } ], "next": null }"""),
        ("POST /api/v1/datasets/{dataset}/evidence/inquiries", null, Json, $$"""{ "key": {{EvidenceKey}}, "reason": "Auskunft nach Art. 15 DSGVO, Az. 2026-11/18" }"""),
        ("POST /api/v1/datasets/{dataset}/evidence/inquiries", 200, Json, $$"""{ "dataset": "air-quality", "title": { "de": "Luftgüte", "en": "Air quality" }, "publisher": { "id": "senumvk", "name": { "de": "Senatsverwaltung für Umwelt" } }, "at": "2026-11-27T10:00:00Z", "keptDays": 730, "questions": [ { {{EvidenceId}}, "agency": { "id": "bezirk-pankow", "name": { "de": "Bezirksamt Pankow" } }, "requester": "Straßen- und Grünflächenamt", "legalNorm": "§ 5 EGovG", "purpose": "sondernutzung", "purposeText": { "de": "Sondernutzung von Straßenland" }, "procedure": "Sondernutzung Messstelle", "fileNumber": "SN-2026-117", "agreement": "nachweis-pankow", "version": 1, "found": true, "fields": [ { "name": "no2", "title": { "de": "Stickstoffdioxid" } } ] } ] }"""),
        ("POST /api/v1/datasets/{dataset}/evidence/inquiries", 200, "text/html", "<!doctype html>\n<html lang=\"de\">…</html>\n"),
        ("POST /api/v1/datasets/{dataset}/evidence/inquiries", 200, "text/plain", "Wer hat welche Angaben über Sie abgerufen?\n==========================================\n"),
        ("GET /api/v1/charter", 200, Json, """{ "version": "1", "clauses": [ { "id": "purpose", "title": { "de": "Zweckbindung", "en": "Purpose" }, "text": { "de": "Daten dienen nur den vereinbarten Zwecken.", "en": "Data serves the agreed purposes only." } } ] }"""),
        ("GET /api/v1/areas", 200, Json, """{ "systems": [ { "id": "demo", "title": null, "version": 1, "areas": 2, "levels": 2 } ], "next": null }"""),
        ("PUT /api/v1/areas/{system}", null, Csv, Areas),
        ("PUT /api/v1/areas/{system}", null, GeoJson, AreaFeatures),
        ("PUT /api/v1/areas/{system}", null, Json, AreaFeatures),
        ("PUT /api/v1/areas/{system}", 200, Json, AreaPut),
        ("PUT /api/v1/areas/{system}", 201, Json, AreaPut),
        ("GET /api/v1/areas/{system}", 200, Json, """{ "system": "demo", "title": null, "version": 1, "levels": 2, "count": 2, "areas": [ { "id": "01", "parent": null, "name": "Mitte", "level": 0, "population": 397134, "hasGeometry": true } ], "next": null }"""),
        ("GET /api/v1/areas/{system}", 200, Csv, Areas),
        ("GET /api/v1/areas/{system}", 200, GeoJson, AreaFeatures),
        ("GET /api/v1/datasets", 200, Json, """{ "datasets": [ { "id": "air-quality", "title": { "de": "Luftgüte", "en": "Air quality" }, "publisher": "senumvk", "kind": "observations", "access": "open", "license": "dl-de/by-2-0", "modified": "2026-11-23T07:30:00Z" } ], "next": null }"""),
        ("PUT /api/v1/datasets/{dataset}", 200, Json, Dataset),
        ("PUT /api/v1/datasets/{dataset}", 201, Json, Dataset),
        ("GET /api/v1/datasets/{dataset}", 200, Json, Dataset),
        ("GET /api/v1/datasets/{dataset}/feeds", 200, Json, $$"""{ "feeds": [ { "id": "default" }, {{Feed}} ], "next": null }"""),
        ("PUT /api/v1/datasets/{dataset}/feeds/{feed}", 200, Json, Feed),
        ("PUT /api/v1/datasets/{dataset}/feeds/{feed}", 201, Json, Feed),
        ("GET /api/v1/datasets/{dataset}/feeds/{feed}", 200, Json, Feed),
        ("POST /api/v1/datasets/{dataset}/feeds/{feed}/records", null, NdJson, Row + "\n"),
        // In base64: { "columns": { "station": [ "mc010" ], "time": [ "2026-11-23T08:00:00Z" ], "area": [ "0110" ], "no2": [ 23.4 ] } }
        ("POST /api/v1/datasets/{dataset}/feeds/{feed}/records", null, "application/vnd.msgpack", "gadjb2x1bW5zhKdzdGF0aW9ukaVtYzAxMKR0aW1lkbQyMDI2LTExLTIzVDA4OjAwOjAwWqRhcmVhkaQwMTEwo25vMpHLQDdmZmZmZmY="),
        ("POST /api/v1/datasets/{dataset}/feeds/{feed}/records", null, Csv, RowsCsv),
        ("GET /api/v1/receipts/{receipt}", 200, Json, $$"""{ {{Receipt}}, "dataset": "air-quality", "feed": "default", "receivedAt": "2026-11-23T08:01:02Z" }"""),
        ("GET /api/v1/datasets/{dataset}/records", 200, Json, $$"""{ "dataset": "air-quality", "license": "dl-de/by-2-0", "contract": 1, "title": { "de": "Luftgüte", "en": "Air quality" }, "publisher": "senumvk", "timeZone": "Europe/Berlin", "describedBy": "/api/v1/datasets/air-quality", "rows": [ {{Row}} ], "next": null }"""),
        ("GET /api/v1/datasets/{dataset}/records", 200, Csv, RowsCsv),
        ("GET /api/v1/datasets/{dataset}/records", 200, NdJson, Row + "\n"),
        ("GET /api/v1/datasets/{dataset}/records", 200, GeoJson, RowFeatures),
        ("GET /api/v1/datasets/{dataset}/records", 200, Parquet, ParquetFile),
        ("GET /api/v1/datasets/{dataset}/csvw", 200, "application/csvm+json", """{ "@context": "http://www.w3.org/ns/csvw", "url": "/api/v1/datasets/air-quality/records?format=csv", "dc:title": [ { "@value": "Luftgüte", "@language": "de" } ], "dc:identifier": "air-quality", "dc:publisher": "senumvk", "dc:license": "dl-de/by-2-0", "rdfs:seeAlso": "/api/v1/datasets/air-quality", "dialect": { "delimiter": ",", "encoding": "utf-8", "header": true }, "tableSchema": { "columns": [ { "titles": "station", "datatype": "string" }, { "titles": "time", "datatype": "dateTime" }, { "titles": "area", "datatype": "string" }, { "titles": "no2", "datatype": "double", "schema:unitText": "ug/m3" } ] } }"""),
        ("GET /api/v1/datasets/{dataset}/quarantine", 200, Json, $$"""{ "dataset": "air-quality", "rows": [ { "id": "q0.2.0", "feed": "default", "receipt": "01M85TE81WJVE9C37DP5NKMBKC", "receivedAt": "2026-11-23T08:01:02Z", "row": 2, "cause": "no2:above-maximum", "state": "open", "errors": [ {{RowFault}} ], "raw": { "station": "mc010", "time": "2026-11-23T09:00:00Z", "no2": 9999 } } ], "next": null }"""),
        ("GET /api/v1/datasets/{dataset}/conservation", 200, Json, """{ "dataset": "air-quality", "feeds": [ { "feed": "default", "pushes": 1, "received": 2, "accepted": 1, "duplicate": 0, "quarantined": 1, "discarded": 0, "lastReceived": "2026-11-23T08:01:02Z" } ], "consumers": [ { "consumer": "fold", "accepted": 1, "applied": 1, "notYetApplied": 0, "partitions": [ { "partition": 0, "head": 2, "applied": 2, "stored": 2 } ] } ] }"""),
        ("GET /api/v1/indicators", 200, Json, $$"""{ "indicators": [ {{Indicator}} ], "next": null }"""),
        ("PUT /api/v1/indicators/{indicator}", 200, Json, FormulaIndicator),
        ("PUT /api/v1/indicators/{indicator}", 201, Json, Indicator),
        ("GET /api/v1/indicators/{indicator}", 200, Json, Indicator),
        ("GET /api/v1/indicators/{indicator}/values", 200, Csv, ValuesCsv),
        ("GET /api/v1/indicators/{indicator}/latest", 200, Csv, ValuesCsv),
        ("GET /api/v1/indicators/{indicator}/values", 200, NdJson, ValuesLine),
        ("GET /api/v1/indicators/{indicator}/latest", 200, NdJson, ValuesLine),
        ("GET /api/v1/indicators/{indicator}/values", 200, GeoJson, ValueFeatures),
        ("GET /api/v1/indicators/{indicator}/latest", 200, GeoJson, ValueFeatures),
        ("GET /api/v1/indicators/{indicator}/values", 200, Parquet, ParquetFile),
        ("GET /api/v1/indicators/{indicator}/latest", 200, Parquet, ParquetFile),
        ("GET /api/v1/indicators/{indicator}/csvw", 200, "application/csvm+json", """{ "@context": "http://www.w3.org/ns/csvw", "url": "/api/v1/indicators/no2-hourly/values?format=csv", "dc:title": [ { "@value": "Stickstoffdioxid, Stundenmittel", "@language": "de" } ], "dc:identifier": "no2-hourly", "dc:publisher": "senumvk", "dc:license": "dl-de/by-2-0", "rdfs:seeAlso": "/api/v1/indicators/no2-hourly", "dialect": { "delimiter": ",", "encoding": "utf-8", "header": true }, "tableSchema": { "columns": [ { "titles": "area", "datatype": "string" }, { "titles": "from", "datatype": "dateTime" }, { "titles": "to", "datatype": "dateTime" }, { "titles": "value", "datatype": "double", "schema:unitText": "ug/m3" }, { "titles": "count", "datatype": "long" }, { "titles": "state", "datatype": "string" } ] } }"""),
        ("GET /health/live", 200, Json, """{ "check": "live", "status": "ok" }"""),
        ("GET /health/startup", 200, Json, """{ "check": "startup", "status": "ok" }"""),
        ("GET /health/ready", 200, Json, """{ "check": "ready", "status": "ok" }"""),
        ("GET /metrics", 200, "text/plain", "# TYPE http_server_active_requests gauge\nhttp_server_active_requests{http_request_method=\"GET\"} 1\n"),
    }.ToLookup(example => example.Route, example => new Body(example.Status, example.ContentType, example.Text), StringComparer.Ordinal);

    /// <summary>Query parameters that routes read by themselves.</summary>
    public static readonly ILookup<string, Parameter> Parameters = new (string[] Routes, string Name, string Type, string Meaning)[]
    {
        (["GET /api/v1/areas/{system}"], "version", "integer", "An earlier version; absent: the present one."),
        (["GET /api/v1/areas/{system}"], "level", "integer", "Only areas of this level."),
        (["GET /api/v1/areas/{system}"], "limit", "integer", "Areas of the page, at most 10,000; JSON only."),
        (["GET /api/v1/areas/{system}"], "after", "string", "As in the answer's next; JSON only."),
        (["GET /api/v1/areas/{system}"], "format", "string", "json, csv or geojson; goes before Accept."),
        (["POST /api/v1/datasets/{dataset}/feeds/{feed}/records"], "dryRun", "boolean", "Check and store nothing."),
        (["POST /api/v1/datasets/{dataset}/feeds/{feed}/records"], "atomic", "boolean", "Take all rows or none."),
    }.SelectMany(p => p.Routes, (p, route) => (route, new Parameter(p.Name, p.Type, p.Meaning))).ToLookup(p => p.route, p => p.Item2, StringComparer.Ordinal);

    /// <param name="Status">Of the answer; null: what is sent.</param>
    internal sealed record Body(int? Status, string ContentType, string Text);

    internal sealed record Parameter(string Name, string Type, string Meaning);
}
