using System.Collections.Immutable;
using System.Text.Json;

using CsCheck;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;
using DataHub.Support;

namespace DataHub.Storage;

public sealed class GrainStateSerializerTests
{
    private static readonly GrainStateSerializer Serializer = new();

    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_dataset_of_version_1_is_still_read() => Golden_is_read("dataset", new DatasetInfo(
        "air-quality",
        new(
            new("Luftgüte", "Air quality"), "senumvk", DatasetKind.Observations, AccessClass.Open, "dl-de/by-2-0", "demo",
            new(
                2,
                [
                    new("station", FieldType.String, null, FieldRole.Series, new(Required: true, MaxLength: 64), null, null, null),
                    new("no2", FieldType.Number, null, FieldRole.Measure, new(Minimum: "0", Enum: ["1", "2"]), "ug/m3", "Europe/Berlin", new("Stickstoffdioxid", null)) { DecimalChar = ",", BareNumber = false },
                ],
                ["station", "time"], ["", "-"])
            { MaxFuture = TimeSpan.FromHours(3) },
            null)
        { Partitions = 4 },
        [new("air-quality/0", 3), new("air-quality/1", 1)], 7, [new("default", null, null), new("slow", new("Langsam", null), TimeSpan.FromMinutes(90))], ["no2-hourly"], Noon, Noon.AddTicks(1)));

    [Fact]
    public void An_area_system_of_version_1_is_still_read() => Golden_is_read("areas", new AreaSystem(
        "demo", 3,
        [.. Enumerable.Range(0, 50).Select(i => new Area($"{i:D8}", i < 5 ? null : $"{i % 5:D8}", $"Kiez {i}", i < 5 ? 0 : 1, i % 3 == 0 ? null : i * 1_000L, i % 2 == 0 ? null : new byte[100]))])
    { Title = new("Gebiete", "Areas") });

    [Fact]
    public void An_indicator_of_version_1_is_still_read() => Golden_is_read("indicator", new IndicatorInfo(
        "no2-hourly",
        new("no2-hourly", 3, new(new("Stickstoffdioxid", null), "air-quality", MeasureFunction.Mean, "no2", "PT1H", "Europe/Berlin", true, [], 1, "ug/m3", AccessClass.Open) { MinimumCount = 5 }),
        null, "demo", 3, "dl-de/by-2-0", "senumvk"));

    [Fact]
    public void A_receipt_of_version_1_is_still_read() => Golden_is_read("receipt", new PartReceipt(
        LogBatches.Push("01J", key: "k", counts: new(6, 1, 2, 3, 0, 0), errors: new RowError(1, null, "unknown-field", null, "x")), "air/0", long.MaxValue, Noon, true));

    [Fact]
    public void What_a_newer_program_added_is_passed_over()
    {
        var newer = new Newer("a", 1, Colour.Green, new(7), [new(1), new(2)], "later", 5);

        var read = Serializer.Deserialize<Older>(Serializer.Serialize(newer));

        Assert.Equal(("a", 1, Colour.Green), (read.Name, read.Number, read.Colour));
    }

    [Fact]
    public void What_an_older_program_did_not_know_keeps_its_default()
    {
        var read = Serializer.Deserialize<Newer>(Serializer.Serialize(new Older("a", 1) { Colour = Colour.Green }));

        Assert.Equal(("a", 1, Colour.Green, null, null, 0), (read.Name, read.Number, read.Colour, read.Inner, read.Text, read.Size));
        Assert.Empty(read.List);
        Assert.Null(read.MaybeList);
        Assert.Equal(9, read.WithDefault);
        Assert.Equal(42, read.WithInitialiser);
    }

    [Fact]
    public void All_kinds_of_members_come_back() => AState.Sample(
        state => Assert.Equal(JsonSerializer.Serialize(state), JsonSerializer.Serialize(Serializer.Deserialize<Everything>(Serializer.Serialize(state)))), iter: 300);

    [Fact]
    public void Instants_and_durations_keep_every_tick()
    {
        var state = new Everything { Instant = Noon.AddTicks(1), Duration = TimeSpan.FromTicks(-1), MaybeInstant = DateTimeOffset.MinValue };

        var read = Serializer.Deserialize<Everything>(Serializer.Serialize(state));

        Assert.Equal((state.Instant, state.Duration, state.MaybeInstant), (read.Instant, read.Duration, read.MaybeInstant));
    }

    [Fact]
    public void A_large_state_is_compressed() => Assert.True(Serializer.Serialize(new Everything { Bytes = new byte[100_000] }).ToMemory().Length < 1_000);

    [Fact]
    public void A_type_without_ids_is_refused_by_name()
    {
        var e = Assert.Throws<NotSupportedException>(() => Serializer.Serialize(new Holder(new("x"))));

        Assert.Contains(nameof(WithoutIds), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_id_for_two_members_is_refused() => Assert.Contains("the same id", Message(() => Serializer.Serialize(new Twice())), StringComparison.Ordinal);

    [Fact]
    public void Damage_and_newer_versions_are_told_apart()
    {
        var bytes = Serializer.Serialize(new Older("a", 1)).ToArray();

        var newer = bytes.ToArray();
        newer[2] = 2;
        Assert.Contains("start the newer program", Message(() => Serializer.Deserialize<Older>(new(newer))), StringComparison.Ordinal);
        for (var length = 0; length < bytes.Length; length++) Assert.Throws<InvalidDataException>(() => Serializer.Deserialize<Older>(new(bytes[..length])));
        Assert.Throws<InvalidDataException>(() => Serializer.Deserialize<Older>(new("{}"u8.ToArray())));
    }

    private static void Golden_is_read<T>(string name, T state)
    {
        var bytes = Golden.Bytes("Storage", $"state-v1-{name}.bin", () => Serializer.Serialize(state).ToArray());

        Assert.Equal("DS"u8, bytes.AsSpan(0, 2));
        Assert.Equal(1, bytes[2]);
        Assert.Equal(JsonSerializer.Serialize(state), JsonSerializer.Serialize(Serializer.Deserialize<T>(new(bytes))));
    }

    private static string Message(Action act)
    {
        var e = Record.Exception(act)!;
        while (e.InnerException is not null && e is not (InvalidDataException or NotSupportedException)) e = e.InnerException;
        return e.Message;
    }

    private static readonly Gen<Everything> AState = Gen.Select(
        Gen.Int, Gen.Long, Gen.Double, Gen.Bool, Gen.String, Gen.Byte.Array[0, 20], Gen.Dictionary(Gen.String, Gen.Int)[0, 5], Gen.Int.Array[0, 5],
        (i, l, d, b, s, bytes, map, list) => new Everything
        {
            Number = i,
            Long = l,
            Double = double.IsFinite(d) ? d : 0,
            Flag = b,
            Text = b ? null : s,
            Bytes = bytes,
            MaybeNumber = b ? i : null,
            Colour = (Colour)(i & 1),
            Instant = Noon.AddTicks(i),
            MaybeInstant = b ? null : Noon.AddTicks(l & 0xFFFFFFFF),
            Duration = TimeSpan.FromTicks(l),
            Id = new Guid(i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
            Items = [.. list.Select(n => new Item(n))],
            List = [.. list],
            Map = map.ToDictionary(),
            Fixed = [.. map.Keys],
            Immutable = map.Keys.Distinct().Take(1).ToImmutableDictionary(k => k, _ => list),
            Array = [.. list],
        });

    public enum Colour
    {
        Red = 0,
        Green = 1,
    }

    [GenerateSerializer]
    public readonly record struct Item([property: Id(0)] int Number);

    [GenerateSerializer]
    public sealed record Older([property: Id(0)] string Name, [property: Id(1)] int Number)
    {
        [Id(2)] public Colour Colour { get; init; }
    }

    [GenerateSerializer]
    public sealed record Newer(
        [property: Id(0)] string Name, [property: Id(1)] int Number, [property: Id(2)] Colour Colour, [property: Id(3)] Item? Inner, [property: Id(4)] Item[] List,
        [property: Id(6)] string? Text, [property: Id(7)] int Size, [property: Id(9)] Item[]? MaybeList = null, [property: Id(10)] int WithDefault = 9)
    {
        [Id(8)] public int WithInitialiser { get; init; } = 42;
    }

    [GenerateSerializer]
    public sealed class Everything
    {
        [Id(0)] public int Number { get; init; }
        [Id(1)] public long Long { get; init; }
        [Id(2)] public double Double { get; init; }
        [Id(3)] public bool Flag { get; init; }
        [Id(4)] public string? Text { get; init; }
        [Id(5)] public byte[] Bytes { get; init; } = [];
        [Id(6)] public int? MaybeNumber { get; init; }
        [Id(7)] public Colour Colour { get; init; }
        [Id(8)] public DateTimeOffset Instant { get; init; }
        [Id(9)] public DateTimeOffset? MaybeInstant { get; init; }
        [Id(10)] public TimeSpan Duration { get; init; }
        [Id(11)] public Guid Id { get; init; }
        [Id(12)] public Item[] Items { get; init; } = [];
        [Id(13)] public List<int> List { get; init; } = [];
        [Id(14)] public Dictionary<string, int> Map { get; init; } = [];
        [Id(15)] public ImmutableList<string> Fixed { get; init; } = [];
        [Id(17)] public ImmutableDictionary<string, int[]> Immutable { get; init; } = ImmutableDictionary<string, int[]>.Empty;
        [Id(18)] public ImmutableArray<int> Array { get; init; } = [];
    }

    public sealed record WithoutIds(string Name);

    [GenerateSerializer]
    public sealed record Holder([property: Id(0)] WithoutIds Inner);

#pragma warning disable ORLEANS0012 // The duplicate is what the test is about.
    [GenerateSerializer]
    public sealed class Twice
    {
        [Id(0)] public int One { get; init; }
        [Id(0)] public int Two { get; init; }
    }
#pragma warning restore ORLEANS0012
}
