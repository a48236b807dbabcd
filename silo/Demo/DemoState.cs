using System.Text.Json;

using DataHub.Hosting;

namespace DataHub.Demo;

/// <summary>What the demo agencies remember between starts, as real ones would: their keys and up to where they have pushed.</summary>
/// <param name="Seed">Which city lives in this folder.</param>
/// <param name="Started">The demo's first start.</param>
internal sealed record DemoState(int Seed, DateTimeOffset Started)
{
    public const string FileName = "demo.json";

    /// <summary>Each agency's keys.</summary>
    public Dictionary<string, DemoKeys> Keys { get; init; } = [];

    /// <summary>Whether people have their groups and roles; what becomes of them later is theirs.</summary>
    public bool People { get; set; }

    /// <summary>By dataset/feed.</summary>
    public Dictionary<string, DemoPosition> Positions { get; init; } = [];

    /// <returns>Null where this folder has no demo yet.</returns>
    /// <exception cref="JsonException">The file is damaged.</exception>
    public static DemoState? Read(string folder)
    {
        var file = Path.Combine(folder, FileName);
        return File.Exists(file) ? JsonSerializer.Deserialize<DemoState>(File.ReadAllText(file), WireJson.Options) : null;
    }

    /// <summary>Whole or not at all, readable for the hub's user only.</summary>
    public void Write(string folder) => DataFolder.Write(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, WireJson.Options));
}

/// <param name="Admin">Puts datasets and indicators.</param>
/// <param name="Push">Pushes.</param>
internal sealed record DemoKeys(string Admin, string Push);

/// <summary>Where a feed stands.</summary>
/// <param name="Pushed">Everything before this is acknowledged.</param>
/// <param name="CatchUpTo">Up to here it catches up in long stretches; from here on it is live.</param>
internal sealed record DemoPosition(DateTimeOffset Pushed, DateTimeOffset CatchUpTo);
