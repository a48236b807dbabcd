using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Xml;

using DataHub.Catalog;
using DataHub.Indicators;

namespace DataHub.Sharing;

/// <summary>
/// The door against a reader of the ODRL text that knows nothing of it: it goes through the constraints one by one, and over
/// every row time, area and level by itself.
/// </summary>
public sealed class DoorOdrlTests
{
    private const string Dataset = "luft", Provider = "amt";

    private static readonly DateTimeOffset s_now = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);
    private static readonly string[] s_conditions = ["kind = 'a'", "value > 3", "station <> 'x'"];
    private static readonly string[] s_fields = ["station", "time", "area", "kind", "value", "name"];
    private static readonly string[] s_networks = ["192.0.2.0/24", "198.51.100.0/25", "2001:db8::/32"];
    private static readonly Dictionary<string, string?> s_parents = new() { ["1"] = null, ["2"] = null, ["11"] = "1", ["12"] = "1", ["21"] = "2", ["111"] = "11", ["121"] = "12" };

    private static readonly CompiledContract s_contract = CompiledContract.Compile(
        new(1, [.. s_fields.Select(Field)], ["station", "time"], []), DatasetKind.Observations);

    private static readonly AreaTree s_areas = new(new("orte", 1, [.. s_parents.Select(one => new Area(one.Key, one.Value, one.Key, one.Key.Length - 1, null, null))]));

    [Fact]
    public void The_door_decides_what_the_odrl_text_says()
    {
        var random = new Random(8);
        var (allowed, refused, narrowed, rhythms) = (0, 0, 0, 0);
        for (var round = 0; round < 20_000; round++)
        {
            var terms = Enumerable.Range(0, 1 + random.Next(3)).Select(_ => RandomTerms(random)).ToArray();
            var inForce = terms.Select((one, i) => new AgreementInForce($"v{i}", 1, one)).Where(one => one.Terms.Term.From <= s_now && s_now < one.Terms.Term.Until).ToArray();
            var texts = terms.Select((one, i) => AgreementOdrl.Of(new($"v{i}", AgreementState.Active, one, 1, 1, [], one.Term.Until)).ToJsonString()).ToArray();
            var caller = RandomCaller(random);
            var holding = new Holding(Dataset, null, Provider, AccessClass.Internal, ReleaseState.Available);

            var (through, _) = DoorRules.Rows(caller, holding, s_contract, inForce);
            var rows = Array.FindIndex(texts, text => new Reader(text, caller).GivesRows());
            Assert.Equal(rows < 0 ? null : $"v{rows}", through?.Id);

            var definition = RandomDefinition(random);
            (through, _) = DoorRules.Through(caller, holding, inForce, one => DoorRules.ValuesFault(one, definition, s_contract));
            var values = Array.FindIndex(texts, text => new Reader(text, caller).GivesValues(definition.Spec));
            Assert.Equal(values < 0 ? null : $"v{values}", through?.Id);
            _ = through is null ? refused++ : allowed++;
            if (through is not null) rhythms += RhythmHolds(random, through, new Reader(texts[values], caller).Apart);
            if (through is null || values < 0) continue;

            // Which windows, areas and levels.
            var query = new ValuesQuery(null, null, false, random.Next(2) == 0 ? null : random.Next(3), null, null, null, 1_000) { Whole = false };
            if (!definition.Spec.ByArea) query = query with { Level = null };
            var reader = new Reader(texts[values], caller);
            var (asked, fault) = DoorRules.Narrow(through, definition, s_contract, query, s_areas);
            if (asked is null)
            {
                Assert.True(query.Level is { } level && !reader.GivesLevel(level), fault?.En);
                continue;
            }

            narrowed++;
            Assert.Equal(reader.SmallestGroup, asked.Within!.SmallestGroup);
            var target = CellRollUp.Aim(definition.Spec, s_areas, asked).Target!;
            for (var hour = 0; hour < 8; hour++)
            {
                var (from, to) = (Hour(hour), Hour(hour + 1));
                var given = (asked.From is null || from >= asked.From) && (asked.To is null || from < asked.To);
                Assert.Equal(reader.GivesTime(from, to), given);
            }

            if (!definition.Spec.ByArea) continue;
            foreach (var area in s_parents.Keys)
            {
                // Of a row in that area, the answer's area; by the text: its parent at the level, or itself.
                var place = CellRollUp.PlaceOf(area, s_areas, target);
                var level = query.Level ?? (reader.FinestLevel < 2 ? reader.FinestLevel : null);
                var expected = level is { } at ? area.Length - 1 < at ? null : area[..(at + 1)] : area;
                Assert.Equal(expected is not null && reader.GivesArea(expected) ? expected : null, place);
            }
        }

        Assert.True(allowed > 500 && refused > 5_000 && narrowed > 300 && rhythms > 200, $"{allowed} allowed, {refused} refused, {narrowed} narrowed, {rhythms} rhythms");
    }

    /// <summary>Fetches at random instants begin where the text's interval has passed since the last that began; without one a stream is given too.</summary>
    /// <returns>1 where there is a rhythm.</returns>
    private static int RhythmHolds(Random random, AgreementInForce through, TimeSpan? apart)
    {
        Assert.Equal(apart is null, FetchRhythm.StreamFault(through) is null);
        if (apart is not { } interval) return 0;
        var (state, at, last) = (new AgreementRhythmState(), s_now, (DateTimeOffset?)null);
        for (var i = 0; i < 8; i++)
        {
            at += interval * (random.Next(5) / 2.0);
            (state, var result) = AgreementRhythmRules.Begin(state, new(Guid.NewGuid(), through.Terms.Delivery.Rhythm!, "key:bezirk.k1", UsageOperations.Rows, "dataset:luft"), at);
            var begins = last is null || at - last >= interval;
            Assert.Equal(begins ? null : last + interval, result.NotBefore);
            if (begins) last = at;
        }

        return 1;
    }

    private static AgreementTerms RandomTerms(Random random) => new(
        new("Titel", "Title"), Provider, random.Next(4) == 0 ? "dritte" : "bezirk", Dataset, [.. Some(random, ["planung", "forschung", "statistik"], atLeast: 1).Select(id => new AgreementPurpose(id, new(id, null)))],
        new(s_now.AddDays(random.Next(8) == 0 ? 1 : -1), s_now.AddDays(random.Next(8) == 0 ? -1 : 30), "P1D"))
    {
        Data = new()
        {
            Fields = random.Next(2) == 0 ? null : [.. Some(random, s_fields, atLeast: 3)],
            From = random.Next(3) == 0 ? Hour(random.Next(6)).AddMinutes(random.Next(2) * 30) : null,
            To = random.Next(3) == 0 ? Hour(2 + random.Next(6)).AddMinutes(random.Next(2) * 30) : null,
            Areas = random.Next(3) == 0 ? [.. Some(random, [.. s_parents.Keys], atLeast: 1)] : null,
            Filter = random.Next(3) == 0 ? string.Join(" AND ", Some(random, s_conditions, atLeast: 1)) : null,
            FinestLevel = random.Next(3) == 0 ? random.Next(3) : null,
            SmallestGroup = random.Next(3) == 0 ? random.Next(1, 10) : 0,
        },
        Delivery = new() { Form = (AgreementForm)random.Next(3), RowsPerDay = random.Next(2) == 0 ? 10 : null, Rhythm = random.Next(3) == 0 ? Any(random, "PT90S", "PT1H", "P1D") : null },
        Use = new()
        {
            Groups = random.Next(3) == 0 ? [.. Some(random, ["bezirk/planung", "bezirk/daten"], atLeast: 1)] : null,
            Keys = random.Next(3) == 0 ? [.. Some(random, ["k1", "k2"], atLeast: 1)] : null,
            Networks = random.Next(3) == 0 ? [.. Some(random, s_networks, atLeast: 1)] : null,
        },
    };

    private static Caller RandomCaller(Random random)
    {
        var agency = random.Next(5) == 0 ? "dritte" : "bezirk";
        var use = random.Next(6) == 0 ? null : new StatedUse(Any(random, "planung", "forschung", "statistik", "werbung"), Any(random, "192.0.2.7", "198.51.100.3", "198.51.100.200", "2001:db8::1", "::ffff:192.0.2.9", null));
        return random.Next(2) == 0
            ? new Caller(agency, Any(random, KeyRole.Read, KeyRole.Read, KeyRole.Admin, KeyRole.Push), Any(random, "k1", "k2", "k3")) { Use = use }
            : new Caller(null, KeyRole.None, null)
            {
                Person = "https://anmeldung.example/|anna",
                Use = use,
                Grants = HeldGrants.None with { Groups = [$"{agency}/{Any(random, "planung", "daten", "haus")}"] },
            };
    }

    private static IndicatorDefinition RandomDefinition(Random random) => new("i", 1, new(
        new("Indikator", null), Dataset, MeasureFunction.Sum, "value", "PT1H", "Etc/UTC", random.Next(3) > 0, random.Next(3) == 0 ? ["kind"] : [], null, null, AccessClass.Internal)
    {
        Filter = random.Next(2) == 0 ? null : string.Join(" and ", Some(random, s_conditions, atLeast: 1).OrderBy(_ => random.Next()).Select(condition => random.Next(2) == 0 ? $"({condition})" : condition)),
    });

    private static FieldSpec Field(string name) => new(
        name, name switch { "time" => FieldType.DateTime, "value" => FieldType.Number, _ => FieldType.String }, null,
        name switch { "station" => FieldRole.Series, "time" => FieldRole.Time, "area" => FieldRole.Area, "kind" => FieldRole.Dimension, "value" => FieldRole.Measure, _ => FieldRole.Personal },
        FieldConstraints.None, null, null, null);

    private static DateTimeOffset Hour(int hour) => new(2026, 11, 1, hour, 0, 0, TimeSpan.Zero);

    private static string[] Some(Random random, string[] all, int atLeast) => [.. all.OrderBy(_ => random.Next()).Take(random.Next(atLeast, all.Length + 1))];

    private static T Any<T>(Random random, params T[] all) => all[random.Next(all.Length)];

    /// <summary>Reads a policy as it stands, constraint by constraint.</summary>
    private sealed class Reader(string text, Caller caller)
    {
        private readonly JsonObject _policy = JsonNode.Parse(text)!.AsObject();

        private JsonObject Use => _policy["permission"]!.AsArray().Select(node => node!.AsObject()).Single(rule => (string)rule["action"]! == "use");

        public int SmallestGroup => One("urn:datahub:odrl:smallestGroup") is { } group ? (int)group["rightOperand"]! : 0;

        public TimeSpan? Apart => One("timeInterval") is { } apart && (string)apart["operator"]! == "gteq" ? XmlConvert.ToTimeSpan((string)apart["rightOperand"]!["@value"]!) : null;

        public int FinestLevel => One("urn:datahub:odrl:level") is { } level ? (int)level["rightOperand"]! : int.MaxValue;

        public bool GivesRows() => Lets("rows") && FinestLevel == int.MaxValue && SmallestGroup <= 1 && new[] { "station", "time" }.All(GivesField);

        public bool GivesValues(IndicatorSpec spec)
        {
            if (!Lets("values")) return false;
            string[] used = ["time", "value", .. spec.ByArea ? ["area"] : Array.Empty<string>(), .. spec.Dimensions, .. s_conditions.Where(condition => spec.Filter?.Contains(condition, StringComparison.Ordinal) == true).Select(condition => condition.Split(' ')[0])];
            if (!used.All(GivesField)) return false;
            if (One("urn:datahub:odrl:filter") is { } filter && !((string)filter["rightOperand"]!["@value"]!).Split(" AND ").All(condition => spec.Filter?.Contains(condition, StringComparison.Ordinal) == true)) return false;
            return spec.ByArea || One("spatial") is null;
        }

        public bool GivesLevel(int level) => level <= FinestLevel;

        /// <summary>Whether all rows from one instant to another are given.</summary>
        public bool GivesTime(DateTimeOffset from, DateTimeOffset to) => Constraints("urn:datahub:odrl:rowTime").All(one => (string)one["operator"]! switch
        {
            "gteq" => from >= Instant(one),
            "lt" => to <= Instant(one),
            _ => throw new InvalidOperationException(one.ToJsonString()),
        });

        public bool GivesArea(string area) => One("spatial") is not { } spatial || Ids(spatial).Any(given => area.StartsWith(given["urn:datahub:area:".Length..], StringComparison.Ordinal));

        private bool GivesField(string field) =>
            One("urn:datahub:odrl:field") is { } fields ? fields["rightOperand"]!.AsArray().Any(one => (string)one! == field) : One("urn:datahub:odrl:fieldRole") is null || field != "name";

        /// <summary>Whether this caller may use it now for what he says and in this form.</summary>
        private bool Lets(string form)
        {
            var agency = caller.Agency ?? caller.Grants.Groups[0].Split('/')[0];
            if ((string)_policy["assignee"]! != "urn:datahub:agency:" + agency || (string)_policy["target"]! != "urn:datahub:dataset:" + Dataset) return false;
            if (caller.Agency is not null && caller.Role == KeyRole.Push) return false;

            // A person is let in by what names groups, a key by what names keys; what names only the others shuts them out.
            return Use["constraint"]!.AsArray().Select(node => node!.AsObject()).All(one => Holds(one, form));
        }

        private bool Holds(JsonObject one, string form)
        {
            if (one["or"] is { } either) return either["@list"]!.AsArray().Any(node => Holds(node!.AsObject(), form));
            return (string)one["leftOperand"]! switch
            {
                "purpose" => caller.Use is { } use && Ids(one).Contains("urn:datahub:purpose:" + use.Purpose),
                "dateTime" => (string)one["operator"]! == "gteq" ? s_now >= Instant(one) : s_now < Instant(one),
                "urn:datahub:odrl:form" => (string)one["rightOperand"]! == form,
                "recipient" => caller.Person is not null && Ids(one).Contains("urn:datahub:group:" + caller.Grants.Groups[0]),
                "systemDevice" => caller.Agency is not null && Ids(one).Contains($"urn:datahub:key:{caller.Agency}.{caller.KeyId}"),
                "virtualLocation" => caller.Use?.Address is { } address && one["rightOperand"]!.AsArray().Any(network => Contains((string)network!, address)),
                _ => true,
            };
        }

        private static bool Contains(string network, string address)
        {
            var (prefix, bits) = (IPAddress.Parse(network.Split('/')[0]).GetAddressBytes(), int.Parse(network.Split('/')[1], CultureInfo.InvariantCulture));
            var parsed = IPAddress.Parse(address);
            var bytes = (parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed).GetAddressBytes();
            return bytes.Length == prefix.Length && Enumerable.Range(0, bits).All(bit => ((bytes[bit / 8] ^ prefix[bit / 8]) & (0x80 >> (bit % 8))) == 0);
        }

        private IEnumerable<JsonObject> Constraints(string left) => Use["constraint"]!.AsArray().Select(node => node!.AsObject()).Where(one => (string?)one["leftOperand"] == left);

        private JsonObject? One(string left) => Constraints(left).SingleOrDefault();

        private static DateTimeOffset Instant(JsonObject one) => DateTimeOffset.Parse((string)one["rightOperand"]!["@value"]!, CultureInfo.InvariantCulture);

        private static string[] Ids(JsonObject one) => [.. one["rightOperand"]!.AsArray().Select(node => (string)node!["@id"]!)];
    }
}
