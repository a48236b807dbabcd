using System.Diagnostics.CodeAnalysis;

namespace DataHub;

/// <summary>
/// A queue in which whoever sends much waits behind its own, not others behind it: one lane for each sender, the lanes
/// take turns, and within a lane the order is that of arrival. Not thread-safe.
/// </summary>
internal sealed class FairQueue<T>
{
    private readonly Dictionary<string, Lane> _lanes = [];
    private readonly Queue<Lane> _turns = new();

    public int Count { get; private set; }

    /// <summary>Of all that waits.</summary>
    public long Weight { get; private set; }

    /// <param name="sender">Whose lane it waits in.</param>
    /// <param name="weight">What it weighs, 0 or more.</param>
    public void Enqueue(string sender, T item, long weight = 0)
    {
        if (!_lanes.TryGetValue(sender, out var lane))
        {
            _lanes[sender] = lane = new(sender);
            _turns.Enqueue(lane);
        }

        lane.Items.Enqueue((item, weight));
        lane.Weight += weight;
        Weight += weight;
        Count++;
    }

    /// <summary>What <see cref="TryDequeue"/> would take.</summary>
    public bool TryPeek([MaybeNullWhen(false)] out T item)
    {
        item = default;
        if (!_turns.TryPeek(out var lane)) return false;
        item = lane.Items.Peek().Item;
        return true;
    }

    public bool TryDequeue([MaybeNullWhen(false)] out T item)
    {
        item = default;
        if (!_turns.TryDequeue(out var lane)) return false;
        (item, var weight) = lane.Items.Dequeue();
        lane.Weight -= weight;
        Weight -= weight;
        Count--;
        if (lane.Items.Count > 0) _turns.Enqueue(lane);
        else _lanes.Remove(lane.Sender);
        return true;
    }

    /// <summary>How many of a sender's wait, and what they weigh.</summary>
    public (int Count, long Weight) Of(string sender) => _lanes.TryGetValue(sender, out var lane) ? (lane.Items.Count, lane.Weight) : default;

    private sealed class Lane(string sender)
    {
        public string Sender => sender;

        public Queue<(T Item, long Weight)> Items { get; } = new();

        public long Weight { get; set; }
    }
}

/// <summary>
/// Divides room among senders: one alone may take the limit, several together at most twice as much, and each as much as it
/// leaves free. However many flood, a newcomer finds room (dynamic thresholds: Choudhury and Hahne, IEEE/ACM Transactions on
/// Networking 6(2), 1998).
/// </summary>
internal static class FairShare
{
    /// <param name="own">What the sender has taken.</param>
    /// <param name="total">What all have taken, the sender included.</param>
    /// <param name="wanted">What it wants besides.</param>
    /// <param name="limit">What one alone may take.</param>
    public static bool Allows(long own, long total, long wanted, long limit) => own + wanted <= (2 * limit) - (total + wanted);
}
